use actix_web::{HttpResponse, Responder, web};
use spandrel::span;

/// With `App::new().wrap(RequestTracing::new()).configure(routes)`, where `RequestTracing` of
/// `opentelemetry-instrumentation-actix-web` makes the server's span.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/orders/{id}", web::get().to(order));
}

/// A span inside of it, of the kind `internal`.
#[span("load-order", order.id = *id)]
async fn order(id: web::Path<u64>) -> impl Responder {
    match *id {
        0 => HttpResponse::InternalServerError().finish(),
        1..100 => HttpResponse::Ok().body(id.to_string()),
        _ => HttpResponse::NotFound().finish(),
    }
}
