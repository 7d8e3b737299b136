//! Collectors that are slow, silent, picky, or somewhere else than they seem, and what is reported of them.

mod collectors;
mod flushes;
mod messages;
mod proxies;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::collector::Collector;
use crate::process::{BURST, FLUSHES, command, stderr};

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
