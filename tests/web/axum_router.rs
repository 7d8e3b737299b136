//! axum.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use futures::StreamExt;
use futures::stream;
use http_body_util::BodyExt;
use opentelemetry_instrumentation_tower::http::server::Layer;
use spandrel::span;
use tower::ServiceExt;

use crate::recipes;
use crate::recorded::Trace;

/// The spans of a request, and the status of its response. The layer has to be made when telemetry is set up.
async fn request(router: impl FnOnce() -> Router, request: &str) -> (String, StatusCode) {
    let trace = Trace::new();
    let router = router();
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let request = Request::builder().method(method).uri(path).header("traceparent", trace.parent());
    let request = request.body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("it answers");
    let status = response.status();
    let _ = response.into_body().collect().await;
    (trace.spans(), status)
}

#[tokio::test]
async fn each_request_has_one_server_span() {
    let router = recipes::axum::router;
    let recipe = |line: &'static str| request(router, line);
    let server = |path: &str, rest: &str| {
        format!(
            "GET /orders/{{id}} [server] http.request.method=\"GET\" url.path=\"{path}\" \
             http.route=\"/orders/{{id}}\" {rest}\n"
        )
    };
    let (tree, _) = recipe("GET /orders/7").await;
    let expected = server("/orders/7", "http.response.status_code=200");
    assert_eq!(tree, format!("{expected}└─ load-order order.id=7\n"));
    let (tree, _) = recipe("GET /orders/700").await;
    let expected = server("/orders/700", "http.response.status_code=404");
    assert_eq!(tree, format!("{expected}└─ load-order order.id=700\n"));
    let (tree, _) = recipe("GET /orders/0").await;
    assert!(tree.contains("http.response.status_code=500 ✗"), "{tree}");
    assert!(
        tree.contains("└─ load-order order.id=0 error.type=\"http::status::StatusCode\" ✗"),
        "{tree}"
    );
    // An extractor rejects it, no route is found, and no method.
    for (line, status) in [("GET /orders/x", 400), ("GET /nowhere", 404), ("DELETE /orders/1", 405)]
    {
        let (tree, answered) = recipe(line).await;
        assert_eq!(answered.as_u16(), status, "{line}");
        assert_eq!(tree.lines().count(), 1, "{line}: {tree}");
        assert!(
            tree.contains(&format!(
                "[server] http.request.method=\"{}\"",
                line.split(' ').next().expect("a method")
            )),
            "{tree}"
        );
        assert!(tree.contains(&format!("http.response.status_code={status}\n")), "{line}: {tree}");
    }
}

#[span("stream")]
fn pieces() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter(0..3).then(|number| async move {
        piece(number).await;
        Ok(Bytes::from_static(b"piece"))
    })
}

#[span("piece", number = number)]
async fn piece(number: u32) {}

#[tokio::test]
async fn a_streamed_body_is_inside_the_span_of_its_request() {
    let handler = || async { Body::from_stream(pieces()) };
    let router = || Router::new().route("/stream", get(handler)).layer(Layer::new());
    let (tree, _) = request(router, "GET /stream").await;
    let spans: Vec<_> =
        tree.lines().map(|line| line.split(" http.").next().unwrap_or(line)).collect();
    let expected = [
        "GET /stream [server]",
        "└─ stream",
        "   ├─ piece number=0",
        "   ├─ piece number=1",
        "   └─ piece number=2",
    ];
    assert_eq!(spans, expected);
}

#[tokio::test]
async fn a_handler_that_panics_has_a_server_span_too() {
    #[span("break")]
    async fn breaks() {
        panic!("it broke");
    }

    let trace = Trace::new();
    let router = Router::new().route("/", post(breaks)).layer(Layer::new());
    let asked = Request::post("/").header("traceparent", trace.parent()).body(Body::empty());
    let answered = tokio::spawn(router.oneshot(asked.expect("a request"))).await;
    assert!(answered.is_err_and(|error| error.is_panic()));
    let tree = trace.spans();
    assert!(tree.starts_with("POST / [server]"), "{tree}");
    assert!(tree.contains("└─ break error.type=\"panic\" ✗ it broke"), "{tree}");
}
