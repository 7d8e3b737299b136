//! A shop that runs, and what is left of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use collector::Collector;
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::PATIENCE;

pub(crate) struct Shop {
    process: Child,
    url: String,
    http: Client,
    collector: Collector,
    said: NamedTempFile,
}

pub(crate) struct Ended {
    pub(crate) collector: Collector,
    /// On standard error, by all processes.
    pub(crate) said: String,
}

impl Shop {
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let collector = Collector::start().expect("a collector");
        let said = NamedTempFile::new().expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_order-service"));
        if let Ok(redis) = env::var("REDIS_URL") {
            // What another shop left in its queue is not for this one.
            static SHOPS: AtomicUsize = AtomicUsize::new(0);
            let database = SHOPS.fetch_add(1, Ordering::Relaxed);
            command.env("REDIS_URL", format!("{redis}/{database}"));
        }
        let mut process = command
            .arg("--serve")
            .args(arguments)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(said.reopen().expect("a file"))
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let url = line.strip_prefix("ready ").map(|url| url.trim_end().to_owned());
        let url = url.unwrap_or_else(|| panic!("{}", fs::read_to_string(&said).expect("text")));
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { process, url, http, collector, said }
    }

    /// The answer to an order.
    pub(crate) async fn place(&self, order: u32) -> (u16, Value) {
        self.try_place(order).await.expect("an answer")
    }

    /// `None` where there is nobody to answer any more.
    pub(crate) async fn try_place(&self, order: u32) -> Option<(u16, Value)> {
        let request = self.http.post(format!("{}/orders/{order}/checkout", self.url));
        let answer = request.header("x-tenant", "acme").send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// Waits until spans of these names have come.
    pub(crate) fn wait_for(&self, trace: &str, names: &[&str]) {
        let all = |spans: &[collector::Span]| {
            names.iter().all(|name| spans.iter().any(|span| span.data.name == *name))
        };
        let came = self.collector.wait_for(trace, all, PATIENCE);
        assert!(came.is_some(), "{}", self.collector.outline(trace).unwrap_or_default());
    }

    pub(crate) fn tell_to_stop(&self) {
        let id = self.process.id().try_into().ok().and_then(Pid::from_raw).expect("an id");
        kill_process(id, Signal::TERM).expect("it runs");
    }

    pub(crate) fn stop(self) -> Ended {
        self.tell_to_stop();
        self.end()
    }

    /// Waits until it has stopped.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.process.wait().expect("it ends");
        let said = fs::read_to_string(&self.said).expect("text");
        assert!(status.success(), "{said}");
        Ended { collector: self.collector, said }
    }
}

impl Ended {
    /// The trees of all traces, in the order in which they started.
    pub(crate) fn traces(&self) -> impl Iterator<Item = String> {
        let mut traces = self.collector.traces();
        traces.sort_by_key(|trace| self.collector.spans(trace)[0].data.start_time);
        traces.into_iter().filter_map(|trace| self.collector.outline(&trace))
    }
}
