//! Proxies, over every protocol.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{account, answering, burst};
use crate::collector::Collector;
use crate::process::{PROTOCOLS, stderr};

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
