//! The server: a thread and a runtime of its own, so that it receives under any program.

use std::io::{self, Read};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::sync::oneshot;

use super::{Span, Store};

const PROTOBUF: &str = "application/x-protobuf";
/// Of a request, before and after it is inflated.
const LARGEST: usize = 64 << 20;

pub(super) fn spawn(
    listener: TcpListener,
    store: Arc<Store>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    listener.set_nonblocking(true)?;
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let traces = post(receive).layer(DefaultBodyLimit::max(LARGEST)).with_state(store);
    let serve = axum::serve(listener, Router::new().route("/v1/traces", traces)).into_future();
    let run = async { tokio::select!(_ = serve => {}, _ = stopped => {}) };
    thread::Builder::new().name("collector".to_owned()).spawn(move || runtime.block_on(run))?;
    Ok(())
}

/// An empty answer is an `ExportTraceServiceResponse` that says all is well.
async fn receive(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<[(header::HeaderName, &'static str); 1], (StatusCode, String)> {
    let refused = |status| move |why: io::Error| (status, why.to_string());
    let is = |name, value| headers.get(name).is_some_and(|given| given == value);
    if !is(header::CONTENT_TYPE, PROTOBUF) {
        let why =
            format!("only {PROTOBUF} is taken; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf");
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let body = if is(header::CONTENT_ENCODING, "gzip") {
        inflate(&body).map_err(refused(StatusCode::BAD_REQUEST))?.into()
    } else {
        body
    };
    let request = ExportTraceServiceRequest::decode(body);
    let request = request.map_err(|why| refused(StatusCode::BAD_REQUEST)(why.into()))?;
    store.add(request.resource_spans.into_iter().flat_map(Span::all_of));
    Ok([(header::CONTENT_TYPE, PROTOBUF)])
}

fn inflate(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    GzDecoder::new(body).take(LARGEST as u64).read_to_end(&mut inflated)?;
    Ok(inflated)
}
