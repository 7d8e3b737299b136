//! A collector: OTLP over HTTP/protobuf on a free port, as much as the tests need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

pub(crate) struct Collector {
    pub(crate) endpoint: String,
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

impl Collector {
    /// A collector that takes everything.
    pub(crate) fn start() -> Self {
        Self::answering("200 OK")
    }

    /// A collector that answers every request so.
    pub(crate) fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::<Mutex<Vec<_>>>::default();
        let received = requests.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let received = received.clone();
                thread::spawn(move || serve(connection, status, &received));
            }
        });
        Self { endpoint, requests }
    }

    /// The spans that arrived, by start time.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().expect("not poisoned");
        let mut spans: Vec<Span> = requests
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| scope.spans.clone())
            .collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }

    /// An attribute of the first resource that sent spans.
    pub(crate) fn resource(&self, key: &str) -> Option<String> {
        let requests = self.requests.lock().expect("not poisoned");
        let resource = requests.first()?.resource_spans.first()?.resource.as_ref()?;
        text(&resource.attributes, key)
    }

    /// Each span as `name` or `name<parent`, with `!` and its message where it failed.
    pub(crate) fn summary(&self) -> Vec<String> {
        let spans = self.spans();
        spans
            .iter()
            .map(|span| {
                let parent = spans.iter().find(|other| other.span_id == span.parent_span_id);
                let parent = parent.map(|parent| format!("<{}", parent.name)).unwrap_or_default();
                let failed = span.status.as_ref().filter(|status| status.code == 2);
                let failed =
                    failed.map(|status| format!("!{}", status.message)).unwrap_or_default();
                format!("{}{parent}{failed}", span.name)
            })
            .collect()
    }
}

/// An id as it is written.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A string or boolean attribute, as text.
pub(crate) fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::BoolValue(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Answers requests on one connection until it is closed.
fn serve(
    connection: TcpStream,
    status: &str,
    received: &Mutex<Vec<ExportTraceServiceRequest>>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut connection = connection;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if status.starts_with("200") {
            let request = ExportTraceServiceRequest::decode(body.as_slice()).ok()?;
            received.lock().ok()?.push(request);
        }
        write!(connection, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}
