//! Requests as exporters send them, and the trees that they become.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use collector::Collector;
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

const TRACE: &str = "07070707070707070707070707070707";

fn span(id: u8, parent: u8, name: &str) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { vec![] } else { vec![parent; 8] },
        name: name.to_owned(),
        start_time_unix_nano: 1_000_000 * u64::from(id),
        end_time_unix_nano: 1_000_000 * u64::from(id + 2 * (5 - id)),
        ..Span::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn request(service: &str, spans: Vec<Span>) -> Vec<u8> {
    let attributes = vec![text("service.name", service)];
    let resource_spans = vec![ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// The status of the answer.
fn post(collector: &Collector, headers: &str, body: &[u8]) -> String {
    let address = collector.endpoint().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /v1/traces HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
const GZIP: &str = "content-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n";

#[test]
fn two_services_become_one_tree() {
    let collector = Collector::start().unwrap();
    let mut failed = span(4, 3, "upload");
    failed.status = Some(Status { message: "no space".to_owned(), code: StatusCode::Error.into() });
    failed.attributes.push(text("file.path", "a.png"));
    let mut called = span(3, 2, "inference");
    called.kind = SpanKind::Server.into();
    let to = Link { trace_id: vec![8; 16], span_id: vec![9; 8], ..Link::default() };
    called.links.push(to);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&request("worker", vec![failed, called])).unwrap();
    assert_eq!(post(&collector, GZIP, &gzip.finish().unwrap()), "200");
    let enough = |spans: &[collector::Span]| spans.len() == 4;
    assert!(collector.wait_for(TRACE, enough, Duration::ZERO).is_none());
    let rest = request("caller", vec![span(2, 1, "call"), span(1, 0, "handle")]);
    assert_eq!(post(&collector, PROTOBUF, &rest), "200");

    let spans = collector.wait_for(TRACE, enough, Duration::ZERO).unwrap();
    let services: Vec<_> = spans.iter().map(|span| span.service.as_str()).collect();
    assert_eq!(services, ["caller", "caller", "worker", "worker"]);
    assert_eq!(collector.traces(), [TRACE]);
    assert_eq!(
        collector.outline(TRACE).unwrap(),
        "\
handle service.name=\"caller\"
└─ call
   └─ inference [server] service.name=\"worker\"
      └─ upload file.path=\"a.png\" ✗ no space
"
    );
    let tree = collector.tree(TRACE).unwrap();
    assert!(tree.contains("↪ link to 0909090909090909 in trace 0808"), "{tree}");
    assert!(tree.contains("8.00 ms ━━━━"), "{tree}");
    assert_eq!(collector.tree("of nobody"), None);
}

#[test]
fn what_is_not_otlp_in_protobuf_is_refused() {
    let collector = Collector::start().unwrap();
    assert_eq!(post(&collector, "content-type: application/json\r\n", b"{}"), "415");
    assert_eq!(post(&collector, PROTOBUF, b"garbage"), "400");
    assert_eq!(post(&collector, GZIP, b"garbage"), "400");
    assert!(collector.traces().is_empty());
}
