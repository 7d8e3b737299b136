//! A server in a process of its own.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use collector::Collector;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
    client: Client,
}

impl Server {
    /// On a free port, once it listens.
    pub(crate) fn start(arguments: &[&str], collector: Option<&Collector>) -> Self {
        let mut command = command(&["--listen", "127.0.0.1:0"]);
        command.args(arguments).stdout(Stdio::piped());
        match collector {
            Some(collector) => command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
            None => command.env("OTEL_TRACES_EXPORTER", "none"),
        };
        let mut process = command.spawn().unwrap();
        let mut address = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { process, address: address.trim().to_owned(), client }
    }

    pub(crate) fn post(&self, input: &Value) -> impl Future<Output = Response> + use<> {
        let sent = self.client.post(format!("{}/v1/images", self.address)).json(input).send();
        async { sent.await.unwrap() }
    }

    pub(crate) async fn ask(&self, input: &Value) -> (StatusCode, Value) {
        let answer = self.post(input).await;
        (answer.status(), answer.json().await.unwrap())
    }

    /// The trace as the page shows it, once it is complete.
    pub(crate) async fn waterfall(&self, trace: &str) -> String {
        let url = format!("{}/v1/traces/{trace}", self.address);
        loop {
            let answer = self.client.get(&url).send().await.unwrap();
            let trace: Value = answer.json().await.unwrap();
            if trace["complete"] != true {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            let mut text = String::new();
            for span in trace["spans"].as_array().unwrap() {
                let indent = 2 * usize::try_from(span["depth"].as_u64().unwrap()).unwrap();
                let failed = if span["error"].is_null() { "" } else { " ✗" };
                writeln!(text, "{:indent$}{}{failed}", "", span["name"].as_str().unwrap()).unwrap();
            }
            return text;
        }
    }

    /// By SIGTERM; it has ended when this returns.
    pub(crate) fn stop(mut self) {
        let killed = Command::new("kill").arg(self.process.id().to_string()).status();
        assert!(killed.unwrap().success());
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a server says that cannot start.
pub(crate) fn said(arguments: &[&str]) -> String {
    let output = command(arguments).env("OTEL_TRACES_EXPORTER", "none").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_text-to-image"));
    command.args(["serve", "--backend", "cpu"]).args(arguments);
    command
}
