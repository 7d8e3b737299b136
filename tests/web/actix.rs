//! actix-web.

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use opentelemetry_instrumentation_actix_web::RequestTracing;

use crate::recipes;
use crate::recorded::Trace;

#[actix_web::test]
async fn each_request_has_one_server_span() {
    for (path, status) in [
        ("/orders/7", 200),
        ("/orders/700", 404),
        ("/orders/0", 500),
        ("/orders/x", 404),
        ("/nowhere", 404),
    ] {
        let trace = Trace::new();
        let app = App::new().wrap(RequestTracing::new()).configure(recipes::actix::routes);
        let app = init_service(app).await;
        let request = TestRequest::get().uri(path).insert_header(("traceparent", trace.parent()));
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), StatusCode::from_u16(status).expect("a status"), "{path}");
        drop(response);
        let tree = trace.spans();
        assert_eq!(tree.matches("[server]").count(), 1, "{path}: {tree}");
        assert!(tree.contains(&format!("http.response.status_code={status}")), "{path}: {tree}");
        assert_eq!(
            tree.contains("└─ load-order"),
            path.starts_with("/orders") && !path.ends_with('x'),
            "{tree}"
        );
        assert_eq!(tree.contains('✗'), status == 500, "{path}: {tree}");
    }
}
