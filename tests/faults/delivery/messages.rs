//! What is reported on standard error, and which variable it names.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::{account, answering, burst, flushes, silent};
use crate::collector::{Behaviour, Collector};
use crate::process::{BURST, PROGRAM, PROTOCOLS, command, kill, started, stderr};

#[test]
fn a_server_that_never_answers_is_reported_while_it_happens() {
    let (endpoint, _) = silent();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let program = started(&mut command(PROGRAM, "wait", &variables));
    thread::sleep(Duration::from_millis(800));
    kill(&program, signal_hook::consts::SIGKILL);
    let said = stderr(&program.wait_with_output().expect("it ends"));
    let late = "no answer within 200ms; OTEL_EXPORTER_OTLP_TIMEOUT sets the time to wait; the exporter \
                keeps the spans of program, queues up to 2048 more, and retries\n";
    assert_eq!(said, format!("spandrel: {endpoint}/v1/traces: {late}"));
}

#[test]
fn an_html_page_instead_of_an_answer_is_reported() {
    for protocol in PROTOCOLS {
        for (code, why) in [(502, "502 Bad Gateway"), (403, "403 Forbidden")] {
            let collector = Collector::start();
            collector.behave(Behaviour::Page { code });
            let limit = [("OTEL_BSP_EXPORT_TIMEOUT", "700")];
            let output = burst(&collector.endpoint, protocol, "10", &limit);
            let said = stderr(&output);
            assert!(said.contains(why) && said.contains("the backend is not there"), "{said}");
            let requests = collector.requests().len();
            assert_eq!(requests > 1, code == 502, "{protocol} {code}: {requests} requests");
        }
    }
}

#[test]
fn an_unreadable_answer_is_reported() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        collector.behave(Behaviour::GarbageMessage);
        let output = burst(&collector.endpoint, protocol, "10", &[]);
        assert_eq!((account(&output), collector.requests().len()), ((0, 10), 1), "{protocol}");
        let said = stderr(&output);
        assert!(said.contains("it is unknown whether the spans were accepted"), "{said}");
    }
}

#[test]
fn a_request_that_the_collector_finds_too_large_is_reported_with_what_helps() {
    let collector = Collector::answering("413 Payload Too Large");
    let output = burst(&collector.endpoint, "http/protobuf", "10", &[]);
    assert!(stderr(&output).contains("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"), "{output:?}");
}

/// However much the server says, the message ends with the advice.
#[test]
fn a_long_page_does_not_displace_the_advice() {
    const PAGE: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 400\r\n\r\n\
        <html>........................................................................................\
        ..............................................................................................\
        ..............................................................................................\
        ..............................................................................................\
        ........................";
    let output = burst(&answering(PAGE), "http/protobuf", "10", &[]);
    let said = stderr(&output);
    assert!(said.contains("(from OTEL_EXPORTER_OTLP_ENDPOINT)"), "{said}");
    assert!(said.trim_end().ends_with("collectors accept traces at `/v1/traces`"), "{said}");
}

#[test]
fn missing_credentials_are_reported_with_the_variable_to_set() {
    for (protocol, status) in [("http/protobuf", "401 Unauthorized"), ("grpc", "403 Forbidden")] {
        let collector = Collector::answering(status);
        let output = burst(&collector.endpoint, protocol, "10", &[]);
        assert!(stderr(&output).contains("OTEL_EXPORTER_OTLP_HEADERS"), "{protocol}: {output:?}");
    }
}

/// A collector that fails now and then is reported once a minute, and not each time.
#[test]
fn outages_that_come_and_go_are_not_reported_each_time() {
    let collector = Collector::counting();
    collector.script(|number, _| match number % 2 {
        1 => Behaviour::Status { code: 503, retry_after: None },
        _ => Behaviour::Take,
    });
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let mut command = command(BURST, "none", &variables);
    let output = command.args(["200", "100", "return"]).output().expect("it runs");
    let said = stderr(&output);
    assert!(collector.requests().len() > 10);
    assert_eq!(said.lines().count(), 2, "{said}");
}

/// Every other kind of server at the collector's address, and what is said of it.
#[test]
fn a_wrong_protocol_is_reported_with_the_variable_to_set() {
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
    const ALERT: &[u8] = b"\x15\x03\x03\0\x02\x02\x28";
    const HTTP1: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
    const TLS_IN_GO: &[u8] =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    for (answer, protocol, expected) in [
        (SETTINGS, "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL to grpc"),
        (HTTP1, "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf"),
        (ALERT, "http/protobuf", "must begin with `https://`"),
        (ALERT, "grpc", "must begin with `https://`"),
        (TLS_IN_GO, "http/protobuf", "must begin with `https://`"),
    ] {
        let server = answering(answer);
        let output = burst(&server, protocol, "10", &[("OTEL_BSP_EXPORT_TIMEOUT", "1500")]);
        let said = stderr(&output);
        assert!(said.contains(expected) && said.contains(endpoint), "{protocol}: {said}");
        assert!(said.contains("from burst to"), "{said}");
    }
}

#[test]
fn a_missing_path_and_a_redirect_are_reported() {
    let collector = Collector::start();
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.endpoint.as_str())];
    let output = command(PROGRAM, "return", &variables).output().expect("it runs");
    let said = stderr(&output);
    assert!(said.contains("the path is `/` (from OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)"), "{said}");
    assert!(said.contains("collectors accept traces at `/v1/traces`"), "{said}");
    assert_eq!(collector.findings(), ["the path is /"]);

    let moved = answering(
        b"HTTP/1.1 308 Permanent Redirect\r\nlocation: https://user:hunter2@there.test/in?key=hunter2\r\n\
          content-length: 0\r\n\r\n",
    );
    let output = burst(&moved, "http/protobuf", "10", &[]);
    let said = stderr(&output);
    assert!(
        said.contains(
            "the server redirects to https://there.test/in; set OTEL_EXPORTER_OTLP_ENDPOINT"
        ),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

/// Unless somebody listens there, on the machine that runs this.
#[test]
fn a_refused_default_endpoint_is_reported_with_the_variable_to_set() {
    for (protocol, port) in [("http/protobuf", 4318), ("grpc", 4317)] {
        if TcpStream::connect(("localhost", port)).is_ok() {
            eprintln!("skipped: something listens at port {port}");
            continue;
        }
        let variables = [("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
        let output = command(PROGRAM, "return", &variables).output().expect("it runs");
        let said = stderr(&output);
        for setting in
            ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "`console`", "`none`"]
        {
            assert!(said.contains(setting), "{protocol}: {said}");
        }
    }
}

#[test]
fn an_overflow_is_reported_again_when_it_happens_again() {
    let collector = Collector::counting();
    collector.behave(Behaviour::Slow(Duration::from_millis(200)));
    let queue = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let (_, said) = flushes("overflows", &collector, &queue);
    let told: Vec<&str> = said.lines().filter(|line| line.contains("are being dropped")).collect();
    assert_eq!(told.len(), 2, "{said}");
    assert!(told.iter().all(|line| line.contains("raise OTEL_BSP_MAX_QUEUE_SIZE")), "{said}");
}

#[test]
fn the_end_of_an_outage_is_reported_once() {
    let collector = Collector::start();
    collector.script(|number, _| match number {
        1..=3 => Behaviour::Status { code: 503, retry_after: None },
        _ => Behaviour::Take,
    });
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let program = started(&mut command(PROGRAM, "wait", &variables));
    thread::sleep(Duration::from_millis(1500));
    kill(&program, signal_hook::consts::SIGTERM);
    let said = stderr(&program.wait_with_output().expect("it ends"));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].contains("503 Service Unavailable") && lines[0].contains("keeps the spans"),
        "{said}"
    );
    assert!(lines[1].contains("accepts the spans of program again, after"), "{said}");
    assert!(lines[1].ends_with("at attempt 4"), "{said}");
}

/// The report gives the reason of the spans that were lost, even if later requests succeeded.
#[test]
fn the_reason_is_that_of_the_losses() {
    let collector = Collector::start();
    collector.script(|number, _| match number {
        1 => Behaviour::Status { code: 400, retry_after: None },
        2 => Behaviour::Status { code: 503, retry_after: None },
        _ => Behaviour::Take,
    });
    let variables = [("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let output = burst(&collector.endpoint, "http/protobuf", "40", &variables);
    let said = stderr(&output);
    let last = said.lines().last().expect("a line");
    assert!(last.contains("spans lost") && last.contains("400 Bad Request"), "{said}");
    assert!(!last.contains("503 Service"), "{said}");
}
