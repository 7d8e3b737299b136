//! Collectors that are slow, silent, picky, or somewhere else than they seem, and what is said of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::collector::{Behaviour, Collector};
use crate::process::{BURST, FLUSHES, PROGRAM, command, kill, started, stderr};

const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

fn burst(endpoint: &str, protocol: &str, spans: &str, variables: &[(&str, &str)]) -> Output {
    let to = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
    let mut command = command(BURST, "none", &[&to, variables].concat());
    command.args([spans, "0", "return"]).output().expect("it runs")
}

fn flushes(how: &str, collector: &Collector, variables: &[(&str, &str)]) -> (String, String) {
    let to = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let output = command(FLUSHES, how, &[&to, variables].concat()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{how}: {}", stderr(&output));
    (String::from_utf8_lossy(&output.stdout).into_owned(), stderr(&output))
}

fn account(output: &Output) -> (u64, u64) {
    let account: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an account");
    let number = |field: &str| account[field].as_u64().expect("a number");
    (number("exported"), number("failed"))
}

/// Takes connections and says nothing; counts them.
fn silent() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let connections = Arc::<AtomicUsize>::default();
    let counted = connections.clone();
    thread::spawn(move || {
        let mut open = Vec::new();
        for connection in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            open.push(connection);
        }
    });
    (endpoint, connections)
}

/// Answers whatever comes with these bytes, and closes the connection.
fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(answer);
            let _ = connection.shutdown(std::net::Shutdown::Write);
            // Until the client has read it.
            let _ = connection.read(&mut [0; 4096]);
        }
    });
    endpoint
}

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

/// Forwards what comes for any host to this collector, by CONNECT and by plain requests.
fn proxy(collector: &Collector) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://user:hunter2@{}", listener.local_addr().expect("an address"));
    let target = collector.endpoint.trim_start_matches("http://").to_owned();
    let connections = Arc::<AtomicUsize>::default();
    let counted = connections.clone();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).expect("a request");
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).expect("text");
            assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic "), "{head}");
            let mut server = TcpStream::connect(&target).expect("it listens");
            if head.starts_with("CONNECT collector.test:4317 ") {
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("it listens");
            } else {
                let head = head.replace("POST http://collector.test:4317/", "POST /");
                server.write_all(head.as_bytes()).expect("it listens");
            }
            let (mut from, mut to) =
                (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || std::io::copy(&mut server, &mut client));
        }
    });
    (address, connections)
}

#[test]
fn every_protocol_goes_through_a_proxy() {
    for protocol in PROTOCOLS {
        let collector = Collector::start();
        let (proxy, connections) = proxy(&collector);
        let output = burst("http://collector.test:4317", protocol, "10", &[("HTTP_PROXY", &proxy)]);
        assert_eq!((account(&output), stderr(&output).as_str()), ((10, 0), ""), "{protocol}");
        assert!(connections.load(Ordering::SeqCst) > 0);

        // A collector on this machine is reached directly.
        for variable in [("HTTP_PROXY", "http://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:9")]
        {
            let output = burst(&collector.endpoint, protocol, "10", &[variable]);
            assert_eq!(account(&output), (10, 0), "{protocol} {variable:?}");
        }
    }
}

/// There is no such host, which is what the message says, and not that the proxy failed.
#[test]
fn a_host_in_no_proxy_is_reached_directly() {
    for protocol in PROTOCOLS {
        let variables = [
            ("HTTP_PROXY", "http://127.0.0.1:9"),
            ("NO_PROXY", "other.test,collector.test"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "1000"),
        ];
        let output = burst("http://collector.test:4317", protocol, "10", &variables);
        let said = stderr(&output);
        assert!(said.contains("10 of 10 spans lost") && !said.contains("proxy"), "{said}");
    }
}

#[test]
fn a_proxy_that_fails_is_named() {
    let refusing = answering(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    for protocol in PROTOCOLS {
        for proxy in ["http://user:hunter2@127.0.0.1:9", &refusing] {
            let variables = [("HTTP_PROXY", proxy), ("OTEL_BSP_EXPORT_TIMEOUT", "500")];
            let output = burst("http://collector.test:4317", protocol, "10", &variables);
            assert_eq!(account(&output), (0, 10), "{protocol}");
            let said = stderr(&output);
            let named = proxy.replace("user:hunter2@", "");
            assert!(
                said.contains(&format!("(through the proxy {named}, from HTTP_PROXY")),
                "{said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
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

/// A collector that refuses for another reason gets its refusal told, and compressed requests as before.
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
fn a_request_that_is_too_large_is_not_sent() {
    let collector = Collector::start();
    let (_, said) = flushes("huge", &collector, &[]);
    assert!(said.contains("1 of 2 spans lost"), "{said}");
    assert!(said.contains("over the protocol's limit of 67108864"), "{said}");
    assert!(said.contains("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"), "{said}");
    assert_eq!(collector.summary(), ["work"]);
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
fn a_flush_that_ran_out_of_time_leaves_the_backoff_as_it_was() {
    let collector = Collector::answering("503 Service Unavailable");
    let (printed, said) = flushes("hurry", &collector, &[]);
    assert_eq!(printed, "time ran out before all spans were exported\n");
    // In 6.7 s, at delays of 0.1 s, 0.2 s, 0.4 s and so on; in a hurry it would be more than twenty.
    let requests = collector.requests().len();
    assert!((4..=16).contains(&requests), "{requests} requests");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("503 Service Unavailable") && said.contains("keeps the spans"), "{said}");
    assert!(said.contains(&format!("({requests} attempts)")), "{requests}: {said}");
}

#[test]
fn a_flush_says_whether_spans_were_lost() {
    let collector = Collector::start();
    assert_eq!(flushes("forever", &collector, &[]).0, "all spans were exported\n");
    assert_eq!(flushes("async", &collector, &[]).0, "all spans were exported\n");
    let refusing = Collector::answering("400 Bad Request");
    let delay = [("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let (printed, _) = flushes("refused", &refusing, &delay);
    assert_eq!(printed, "1 span was lost: false 1 false\nall spans were exported: true 0 false\n");
}

#[test]
fn the_account_adds_up_at_every_moment() {
    let collector = Collector::counting();
    let queue = [("OTEL_BSP_MAX_QUEUE_SIZE", "100"), ("OTEL_BSP_SCHEDULE_DELAY", "1")];
    assert_eq!(flushes("balance", &collector, &queue).0, "true\n");
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

/// The reason that is told is the one of the spans that were lost, whatever went well since.
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
    assert!(!last.contains("503"), "{said}");
}

/// Nobody reads what is drawn, and the program ends as ever.
#[cfg(target_os = "linux")]
#[test]
fn an_unread_terminal_does_not_block_the_program() {
    let (unread, mut pipe) = std::io::pipe().expect("a pipe");
    pipe.write_all(&vec![b' '; 64 * 1024]).expect("there is room");
    let variables = [("OTEL_TRACES_EXPORTER", "console")];
    let mut command = command(PROGRAM, "many", &variables);
    let status = command.stderr(pipe).status().expect("it runs");
    assert_eq!(status.code(), Some(0));
    drop(unread);
}
