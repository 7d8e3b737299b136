//! What is delivered to collectors that are slow, silent or picky.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{account, burst, flushes, silent};
use crate::collector::{Behaviour, Collector};
use crate::process::{PROTOCOLS, stderr};

#[test]
fn a_connection_without_an_answer_is_replaced() {
    for protocol in PROTOCOLS {
        let (endpoint, connections) = silent();
        let output = burst(&endpoint, protocol, "10", &[("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]);
        assert_eq!(account(&output), (0, 10), "{protocol}");
        let connections = connections.load(Ordering::SeqCst);
        assert!((3..20).contains(&connections), "{protocol}: {connections} connections");
    }
}

#[test]
fn a_slow_collector_is_waited_for() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        collector.behave(Behaviour::Slow(Duration::from_millis(1200)));
        let timeout = [("OTEL_EXPORTER_OTLP_TIMEOUT", "500")];
        let output = burst(&collector.endpoint, protocol, "10", &timeout);
        assert_eq!(account(&output), (10, 0), "{protocol}: {}", stderr(&output));
        let requests = collector.requests().len();
        assert!(requests <= 4, "{protocol}: {requests} requests");
    }
}

#[test]
fn a_zero_timeout_is_none() {
    let collector = Collector::start();
    collector.behave(Behaviour::Slow(Duration::from_millis(500)));
    let variables = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
    ];
    let output = burst(&collector.endpoint, "http/protobuf", "10", &variables);
    assert_eq!((account(&output), stderr(&output).as_str()), ((10, 0), ""));
}

#[test]
fn a_refused_compression_is_disabled() {
    for protocol in ["http/protobuf", "http/json", "grpc"] {
        for encoding in ["gzip", "zstd"] {
            let collector = Collector::start();
            collector.behave(Behaviour::TakeUncompressed);
            let variables =
                [("OTEL_EXPORTER_OTLP_COMPRESSION", encoding), ("OTEL_BSP_MAX_QUEUE_SIZE", "8192")];
            let output = burst(&collector.endpoint, protocol, "6000", &variables);
            assert_eq!(account(&output), (6000, 0), "{protocol} {encoding}");
            assert_eq!(collector.arrived().spans, 6000);
            let said = stderr(&output);
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.contains(&format!("does not accept {encoding}")), "{said}");
            assert!(said.contains("OTEL_EXPORTER_OTLP_COMPRESSION"), "{said}");
            let plain = collector.requests().iter().filter(|r| r.encoding.is_none()).count();
            assert!(plain >= 12, "{protocol} {encoding}: {plain} uncompressed requests");
        }
    }
}

/// A refusal for another reason is reported as it is, and later requests are compressed as before.
#[test]
fn another_refusal_does_not_disable_compression() {
    for protocol in PROTOCOLS {
        let collector = Collector::answering("400 Bad Request");
        let variables = [("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
        let output = burst(&collector.endpoint, protocol, "10", &variables);
        assert_eq!(account(&output), (0, 10));
        let requests = collector.requests();
        assert_eq!(requests.len(), 1, "{protocol}");
        assert_eq!(requests[0].encoding.as_deref(), Some("gzip"));
    }
}

#[test]
fn an_answer_that_is_too_large_is_an_error_and_the_end() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        collector.behave(Behaviour::LargeAnswer);
        let output = burst(&collector.endpoint, protocol, "10", &[]);
        assert_eq!((account(&output), collector.requests().len()), ((0, 10), 1), "{protocol}");
        assert!(stderr(&output).contains("an answer of more than 4194304 bytes"));
    }
}

#[test]
fn a_span_that_is_larger_than_all_that_may_wait_is_dropped() {
    let collector = Collector::start();
    let (_, said) = flushes("huge", &collector, &[]);
    assert!(said.contains("1 of 2 spans lost"), "{said}");
    assert!(said.contains("waiting spans may take 64 MiB of memory"), "{said}");
    assert!(said.contains("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"), "{said}");
    assert_eq!(collector.summary(), ["work"]);
}

#[test]
fn a_request_that_is_too_large_is_not_sent() {
    let collector = Collector::start();
    let json = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")];
    let (_, said) = flushes("huge in JSON", &collector, &json);
    assert!(said.contains("1 of 2 spans lost"), "{said}");
    assert!(said.contains("over the protocol's limit of 67108864"), "{said}");
    assert!(said.contains("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"), "{said}");
    assert_eq!(collector.summary(), ["work"]);
}

/// A user in the URL is a header on every protocol, and in no message.
#[test]
fn a_user_in_the_endpoint_is_sent_as_a_header() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        let endpoint = collector.endpoint.replace("http://", "http://user:hunter2@");
        let output = burst(&endpoint, protocol, "10", &[]);
        assert_eq!((account(&output), stderr(&output).as_str()), ((10, 0), ""), "{protocol}");
        let request = &collector.requests()[0];
        assert_eq!(request.headers["authorization"], "Basic dXNlcjpodW50ZXIy", "{protocol}");
    }
}

/// The server asks for a longer pause than the batch has: it is tried once more before its time is over.
#[test]
fn a_pause_that_is_longer_than_the_batch_s_time_leaves_a_last_attempt() {
    let collector = Collector::start();
    collector.script(|number, _| match number {
        1 => Behaviour::Status { code: 503, retry_after: Some(3600) },
        _ => Behaviour::Take,
    });
    let limit = [("OTEL_BSP_EXPORT_TIMEOUT", "1500"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let output = burst(&collector.endpoint, "http/protobuf", "10", &limit);
    assert_eq!(account(&output), (10, 0), "{}", stderr(&output));
    assert_eq!(collector.requests().len(), 2);
}
