//! reqwest.

use axum::Router;
use reqwest::Client;
use spandrel::InCurrentTrace;
use tokio::net::TcpListener;

use crate::recipes;
use crate::recorded::Trace;

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_client_s_span_is_the_parent_of_the_server_s() {
    let _set_up = Trace::new();
    let server = serve(recipes::axum::router()).await;
    let client = Client::builder().no_proxy().build().expect("a client");
    for (path, status) in [("/orders/7", 200), ("/orders/700", 404), ("/orders/0", 500)] {
        let trace = Trace::new();
        let request = client.get(format!("{server}{path}?sig=secret")).build().expect("a request");
        let attached = trace.context().attach();
        let sent = recipes::reqwest::send(&client, request).in_current_trace();
        drop(attached);
        let response = sent.await.expect("it answers");
        assert_eq!(response.status().as_u16(), status);
        let _ = response.bytes().await;
        let tree = trace.spans();
        let lines: Vec<_> = tree.lines().collect();
        let failed =
            if status < 400 { String::new() } else { format!(" error.type=\"{status}\" ✗") };
        let port = server.rsplit(':').next().expect("a port");
        let expected = format!(
            "GET [client] http.request.method=\"GET\" \
             url.full=\"http://127.0.0.1:{port}{path}?sig=REDACTED\" \
             server.address=\"127.0.0.1\" server.port={port} http.response.status_code={status}{failed}"
        );
        assert_eq!(lines[0], expected);
        assert!(lines[1].starts_with("└─ GET /orders/{id} [server]"), "{tree}");
        assert!(lines[2].starts_with("   └─ load-order"), "{tree}");
    }
}
