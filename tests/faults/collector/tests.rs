//! The collector, by clients that hold the socket themselves.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{Arrived, Behaviour, Collector, Protocol};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const RETRY: Behaviour = Behaviour::Status { code: 503, retry_after: Some(7) };
const PARTIAL: Behaviour = Behaviour::Partial { rejected: 2, message: "two too many" };

#[test]
fn every_format_and_encoding_is_taken() {
    for encoding in [None, Some("gzip"), Some("zstd")] {
        let collector = Collector::start();
        let json = serde_json::to_vec(&batch(1..=1)).expect("JSON");
        for (content_type, body) in [(JSON, json), (PROTOBUF, batch(2..=2).encode_to_vec())] {
            let body = compressed(encoding, &body);
            let answer = post(&collector, "/v1/traces", content_type, encoding, &body);
            let answer = answer.expect("an answer");
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{content_type} {encoding:?}");
        }
        let answer = export(&collector, encoding, &batch(3..=4).encode_to_vec());
        assert_eq!(answer.expect("an answer").status(), Some("0"), "{encoding:?}");

        let names: Vec<String> = collector.spans().into_iter().map(|span| span.name).collect();
        assert_eq!(names, ["1", "2", "3", "4"]);
        let requests = collector.requests();
        assert_eq!(requests.iter().map(|request| request.spans).collect::<Vec<_>>(), [1, 1, 2]);
        assert!(requests.iter().all(|request| request.encoding.as_deref() == encoding));
        assert!(requests.is_sorted_by_key(|request| request.arrived));
        let [http, _, grpc] = &requests[..] else { panic!("three requests") };
        assert_eq!((http.protocol, http.path.as_str()), (Protocol::Http, "/v1/traces"));
        assert_eq!(
            (grpc.protocol, &grpc.headers["te"]),
            (Protocol::Grpc, &"trailers".parse().expect("a value"))
        );
    }
}

#[test]
fn what_is_not_otlp_is_a_finding() {
    let collector = Collector::counting();
    let good = batch(1..=1).encode_to_vec();
    for (path, content_type, encoding, body, status, finding) in [
        ("/v1/trace", PROTOBUF, None, &good[..], "404", "the path is /v1/trace"),
        ("/v1/traces", "text/plain", None, &good[..], "415", "the content type is `text/plain`"),
        ("/v1/traces", PROTOBUF, Some("br"), &good[..], "415", "encoding `br`"),
        ("/v1/traces", PROTOBUF, Some("gzip"), &good[..], "400", "Some(\"gzip\")"),
        ("/v1/traces", PROTOBUF, None, b"\xff", "400", "no protobuf"),
        ("/v1/traces", JSON, None, br#"{"resource_spans":[]}"#, "400", "`resource_spans` is not"),
    ] {
        let answer = post(&collector, path, content_type, encoding, body).expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{finding}: {answer}");
        let findings = collector.findings();
        assert!(findings.len() == 1 && findings[0].starts_with(finding), "{findings:?}");
    }
    let answer = export(&collector, None, b"\xff").expect("an answer");
    assert_eq!(answer.status(), Some("3"));
    assert!(collector.findings()[0].starts_with("no protobuf"));
    assert_eq!(collector.arrived(), Arrived { spans: 0, duplicates: 0 });
}

#[test]
fn what_the_specification_forbids_is_a_finding() {
    let findings = |change: fn(&mut Span)| {
        let mut batch = batch(1..=1);
        change(&mut batch.resource_spans[0].scope_spans[0].spans[0]);
        let collector = Collector::start();
        export(&collector, None, &batch.encode_to_vec()).expect("an answer");
        collector.findings()
    };
    assert_eq!(findings(|_| {}), [""; 0]);
    assert_eq!(findings(|span| span.trace_id = vec![0; 16]), ["1: its trace id is no id"]);
    assert_eq!(findings(|span| span.span_id = vec![1; 16]), ["1: its span id is no id"]);
    assert_eq!(findings(|span| span.parent_span_id = vec![0; 8]), ["1: its parent is no id"]);
    assert_eq!(findings(|span| span.end_time_unix_nano = 1), ["1: it ends before it starts"]);
    assert_eq!(findings(|span| span.kind = 0), ["1: it has no kind"]);
}

#[test]
#[should_panic(expected = "the collector was sent something wrong")]
fn a_finding_nobody_asks_for_fails_the_test() {
    let collector = Collector::start();
    post(&collector, "/", PROTOBUF, None, b"").expect("an answer");
}

#[test]
fn every_fault_is_felt_over_http() {
    let collector = Collector::counting();
    let behaving = |behaviour: Behaviour| {
        collector.behave(behaviour);
        let body = batch(1..=3).encode_to_vec();
        let answer = post(&collector, "/v1/traces", PROTOBUF, None, &body);
        answer
            .map(|answer| String::from_utf8_lossy(&answer).into_owned())
            .map_err(|error| error.kind())
    };
    for reset in [Behaviour::ResetOnHeaders, Behaviour::ResetAfterBody] {
        assert_eq!(behaving(reset), Err(io::ErrorKind::ConnectionReset));
    }
    assert_eq!(behaving(Behaviour::Hang), Err(io::ErrorKind::WouldBlock));
    assert!(!behaving(Behaviour::Garbage).expect("bytes").contains("HTTP/1.1"));
    let refusal = behaving(RETRY).expect("a refusal");
    assert!(refusal.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\n"));
    assert_eq!(collector.arrived(), Arrived { spans: 0, duplicates: 0 });

    assert!(behaving(PARTIAL).expect("an answer").contains("two too many"));
    assert_eq!(collector.arrived(), Arrived { spans: 1, duplicates: 0 });
    let half = behaving(Behaviour::HalfAnswer).expect("half an answer");
    assert!(half.contains("content-length: 64\r\n\r\n") && half.ends_with(&"\0".repeat(32)));
    assert_eq!(collector.arrived(), Arrived { spans: 3, duplicates: 1 });
    assert!(behaving(Behaviour::Slow(Duration::from_millis(10))).is_ok());
    assert_eq!(collector.arrived(), Arrived { spans: 3, duplicates: 4 });
    assert!(behaving(Behaviour::GarbageMessage).expect("an answer").ends_with("no message"));
    assert_eq!(collector.arrived(), Arrived { spans: 3, duplicates: 7 });
    // A client that did not wait for it has no acknowledgement.
    assert!(behaving(Behaviour::Slow(Duration::from_mins(1))).is_err());
    assert_eq!(collector.arrived(), Arrived { spans: 3, duplicates: 7 });
}

#[test]
fn every_fault_is_felt_over_grpc() {
    let collector = Collector::counting();
    let behaving = |behaviour: Behaviour| {
        collector.behave(behaviour);
        export(&collector, None, &batch(1..=3).encode_to_vec())
    };
    for reset in [Behaviour::ResetOnHeaders, Behaviour::ResetAfterBody] {
        let error = behaving(reset).expect_err("a reset");
        let kind = error.get_io().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::ConnectionReset), "{error:?}");
    }
    let error = behaving(Behaviour::HalfAnswer).expect_err("half an answer");
    assert_eq!((error.is_reset(), error.reason()), (true, Some(h2::Reason::CANCEL)));
    let error = behaving(Behaviour::Garbage).expect_err("no frame");
    assert!(error.is_go_away() && error.is_library(), "{error}");
    let error = behaving(Behaviour::Hang).expect_err("nothing");
    assert_eq!(error.reason(), Some(TIMED_OUT));
    let refusal = behaving(RETRY).expect("a refusal");
    assert_eq!(refusal.status(), Some("14"));
    // Status { 14, "told…", [Any { "…RetryInfo", RetryInfo { Duration { 7 s } } }] }
    assert!(
        refusal
            .text("grpc-status-details-bin")
            .is_some_and(|details| details.ends_with("EgQKAggH"))
    );
    for (code, status) in [(429, "8"), (400, "3"), (503, "14")] {
        let refusal = behaving(Behaviour::Status { code, retry_after: None });
        assert_eq!(refusal.expect("a refusal").status(), Some(status));
    }
    assert_eq!(collector.arrived(), Arrived { spans: 0, duplicates: 0 });

    let answer = behaving(PARTIAL).expect("an answer");
    let answer = ExportTraceServiceResponse::decode(&answer.message[5..]).expect("a response");
    assert_eq!(answer.partial_success.map(|partial| partial.rejected_spans), Some(2));
    assert_eq!(collector.arrived(), Arrived { spans: 1, duplicates: 0 });
    let answer = behaving(Behaviour::GarbageMessage).expect("an answer");
    assert!(ExportTraceServiceResponse::decode(&answer.message[5..]).is_err());
    assert!(behaving(Behaviour::Slow(Duration::from_mins(1))).is_err());
    assert!(behaving(Behaviour::Slow(Duration::from_millis(10))).is_ok());
    assert_eq!(collector.arrived(), Arrived { spans: 3, duplicates: 4 });
}

#[test]
fn a_script_goes_by_number_and_time() {
    let collector = Collector::start();
    collector.script(|number, elapsed| {
        assert!(number == 1 || elapsed > Duration::ZERO);
        if number < 3 { RETRY } else { Behaviour::Take }
    });
    let statuses = (1..=4).map(|number| {
        let answer = export(&collector, None, &batch(number..=number).encode_to_vec());
        answer.expect("an answer").status().map(str::to_owned)
    });
    assert_eq!(statuses.map(Option::unwrap).collect::<Vec<_>>(), ["14", "14", "0", "0"]);
    let answers = collector.requests().into_iter().map(|request| request.answer.expect("all").0);
    assert_eq!(answers.collect::<Vec<_>>(), [RETRY, RETRY, Behaviour::Take, Behaviour::Take]);
    assert_eq!(collector.summary(), ["3", "4"]);
}

#[test]
fn a_port_that_is_closed_refuses_until_it_is_opened() {
    let collector = Collector::refusing();
    let refused = || {
        let error = TcpStream::connect(address(&collector)).map(drop).map_err(|error| error.kind());
        error == Err(io::ErrorKind::ConnectionRefused)
    };
    assert!(refused());
    for id in 1..=2 {
        collector.open();
        let mut open = TcpStream::connect(address(&collector)).expect("it listens");
        export(&collector, None, &batch(id..=id).encode_to_vec()).expect("an answer");
        collector.close();
        assert!(refused());
        assert!(matches!(open.read(&mut [0]), Ok(0) | Err(_)));
    }
    assert_eq!(collector.arrived(), Arrived { spans: 2, duplicates: 0 });
}

/// A request with the spans of these ids, which are their names.
fn batch(ids: std::ops::RangeInclusive<u8>) -> ExportTraceServiceRequest {
    let value = any_value::Value::StringValue("test".to_owned());
    let service = KeyValue {
        key: "service.name".to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    };
    let spans = ids.map(|id| Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        name: id.to_string(),
        kind: 1,
        start_time_unix_nano: 10 + u64::from(id),
        end_time_unix_nano: 100,
        ..Span::default()
    });
    let scope =
        InstrumentationScope { name: "tests".to_owned(), ..InstrumentationScope::default() };
    let scope_spans =
        ScopeSpans { scope: Some(scope), spans: spans.collect(), ..ScopeSpans::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![service], ..Resource::default() }),
            scope_spans: vec![scope_spans],
            ..ResourceSpans::default()
        }],
    }
}

fn compressed(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match encoding {
        Some("gzip") => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).expect("memory");
            encoder.finish().expect("memory")
        }
        Some("zstd") => compress_to_vec(body, CompressionLevel::Fastest),
        _ => body.to_vec(),
    }
}

fn address(collector: &Collector) -> &str {
    collector.endpoint.trim_start_matches("http://")
}

/// Everything that comes back on a connection of its own, within half a second.
fn post(
    collector: &Collector,
    path: &str,
    content_type: &str,
    encoding: Option<&str>,
    body: &[u8],
) -> io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(address(collector))?;
    let encoding = encoding.map(|encoding| format!("content-encoding: {encoding}\r\n"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n{}\
         content-length: {}\r\n\r\n",
        encoding.unwrap_or_default(),
        body.len()
    );
    connection.write_all(&[head.as_bytes(), body].concat())?;
    connection.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut answer = vec![0; 1 << 16];
    let mut length = connection.read(&mut answer)?;
    connection.shutdown(Shutdown::Write)?;
    length += connection.read(&mut answer[length..])?;
    answer.truncate(length);
    Ok(answer)
}

#[derive(Debug)]
struct Answer {
    headers: HeaderMap,
    message: Vec<u8>,
    trailers: HeaderMap,
}

impl Answer {
    fn status(&self) -> Option<&str> {
        self.text("grpc-status")
    }

    fn text(&self, name: &str) -> Option<&str> {
        let value = self.trailers.get(name).or_else(|| self.headers.get(name));
        value.and_then(|value| value.to_str().ok())
    }
}

/// The server never says this.
const TIMED_OUT: h2::Reason = h2::Reason::SETTINGS_TIMEOUT;

/// The answer to a call on a connection of its own, within half a second.
fn export(
    collector: &Collector,
    encoding: Option<&str>,
    message: &[u8],
) -> Result<Answer, h2::Error> {
    let message = compressed(encoding, message);
    let length = u32::try_from(message.len()).expect("a short message").to_be_bytes();
    let body = [&[u8::from(encoding.is_some())], &length[..], &message].concat();
    let url = format!(
        "{}/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        collector.endpoint
    );
    let request = http::Request::post(url)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-encoding", encoding.unwrap_or("identity"));
    let request = request.body(()).expect("a valid request");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let connection = tokio::net::TcpStream::connect(address(collector)).await;
        let (client, connection) = h2::client::handshake(connection.expect("it listens")).await?;
        tokio::spawn(connection);
        let call = call(client, request, body.into());
        let answer = tokio::time::timeout(Duration::from_millis(500), call).await;
        answer.unwrap_or(Err(TIMED_OUT.into()))
    })
}

async fn call(
    client: h2::client::SendRequest<Bytes>,
    request: http::Request<()>,
    body: Bytes,
) -> Result<Answer, h2::Error> {
    let (response, mut stream) = client.ready().await?.send_request(request, false)?;
    stream.send_data(body, true)?;
    let (head, mut body) = response.await?.into_parts();
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        message.extend_from_slice(&data?);
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    Ok(Answer { headers: head.headers, message, trailers })
}
