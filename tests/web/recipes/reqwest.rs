use reqwest::{Client, Request, Response};
use spandrel::{propagate, span};

/// Sends a request in a client's span, whose headers continue the trace. The status of the response decides whether the span
/// failed.
#[propagate(inject(request))]
#[span(name(request.method()), kind(client), ..request)]
pub(crate) async fn send(client: &Client, mut request: Request) -> reqwest::Result<Response> {
    client.execute(request).await
}
