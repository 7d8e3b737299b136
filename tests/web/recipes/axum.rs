use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use opentelemetry_instrumentation_tower::http::server::Layer;
use spandrel::span;

/// The layer makes the server's span: for each request, whatever its answer is.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/orders/{id}", get(order))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(Layer::new())
}

/// A span inside of it, of the kind `internal`.
#[span("load-order", order.id = id, error_if(StatusCode::is_server_error))]
async fn order(Path(id): Path<u64>) -> Result<Json<u64>, StatusCode> {
    match id {
        0 => Err(StatusCode::INTERNAL_SERVER_ERROR),
        1..100 => Ok(Json(id)),
        _ => Err(StatusCode::NOT_FOUND),
    }
}
