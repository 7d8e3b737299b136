//! The services, asked over HTTP by whoever there may be.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use collector::Collector;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::program::{FOLDER, kill, reporting};

struct Service {
    process: Child,
    url: String,
}

impl Service {
    fn start(collector: &Collector, arguments: &[&str]) -> Self {
        let mut process = reporting(collector, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim_end().to_owned() }
    }

    fn worker(collector: &Collector) -> Self {
        Self::start(collector, &["serve-worker", FOLDER])
    }

    /// The trace that a request became; it succeeds, whatever its context.
    async fn trace_of(&self, context: impl Into<Option<Value>>) -> String {
        let (status, answer) = self.ask("one-step.png", context.into()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["trace_id"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, key: &str, context: Option<Value>) -> (StatusCode, Value) {
        let mut body = json!({
            "prompt": "pizza", "num_inference_steps": 1, "guidance_scale": 2.0, "seed": 1, "key": key,
        });
        if let Some(context) = context {
            body["trace_context"] = context;
        }
        let client = Client::builder().no_proxy().build().unwrap();
        let answer = client.post(&self.url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(text.into()))
    }

    /// Its spans have come when it has ended.
    fn stop(mut self) {
        kill("-TERM", self.process.id());
        assert!(self.process.wait().unwrap().success());
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn worker_alone() -> String {
    format!(
        r#"inference [server] service.name="image-worker" model.name="emoji-64" num_inference_steps=1 guidance_scale=2
├─ diffusion prompt.length=5 spandrel.device.name="cpu" spandrel.device.timing="synchronized"
└─ upload image.url="{FOLDER}/one-step.png"
"#
    )
}

#[tokio::test]
async fn the_context_of_a_caller_is_in_the_body() {
    let collector = Collector::start().unwrap();
    let worker = Service::worker(&collector);
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    assert_eq!(worker.trace_of(json!({ "traceparent": traceparent })).await, TRACE);
    worker.stop();
    assert_eq!(collector.outline(TRACE).unwrap(), worker_alone());
    let spans = collector.spans(TRACE);
    assert_eq!(spans[0].data.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert!(spans[0].data.parent_span_is_remote);
    assert!(spans.iter().all(|span| span.service == "image-worker"));
}

#[tokio::test]
async fn a_request_without_context_starts_a_trace() {
    let collector = Collector::start().unwrap();
    let worker = Service::worker(&collector);
    let traces = [worker.trace_of(None).await, worker.trace_of(json!({})).await];
    worker.stop();
    assert_eq!(sorted(collector.traces()), sorted(traces.to_vec()));
    assert_ne!(traces[0], traces[1]);
    for trace in traces {
        assert_eq!(collector.outline(&trace).unwrap(), worker_alone());
    }
}

/// The threads of a service export what they have recorded one after the other, not in the order of the requests.
fn sorted(mut traces: Vec<String>) -> Vec<String> {
    traces.sort();
    traces
}

/// None of these may fail a request, or become part of the trace.
async fn starts_a_trace(contexts: impl IntoIterator<Item = Value>) {
    let collector = Collector::start().unwrap();
    let worker = Service::worker(&collector);
    let mut traces = Vec::new();
    for context in contexts {
        traces.push(worker.trace_of(context).await);
    }
    worker.stop();
    assert_eq!(sorted(collector.traces()), sorted(traces.clone()));
    assert!(!traces.iter().any(|trace| trace == TRACE));
    for trace in traces {
        assert_eq!(collector.outline(&trace).unwrap(), worker_alone());
    }
}

#[tokio::test]
async fn garbage_for_a_context_starts_a_trace() {
    let long = "0".repeat(1 << 20);
    starts_a_trace([
        json!({ "traceparent": "" }),
        json!({ "traceparent": "of a friend" }),
        json!({ "traceparent": format!("00-{}-00f067aa0ba902b7-01", TRACE.replace('f', "g")) }),
        json!({ "traceparent": format!("00-{TRACE}-0000000000000000-01") }),
        json!({ "traceparent": format!("00-{TRACE}-00f067aa0ba902b7-01-{long}") }),
        json!({ "traceparent": long, "tracestate": "a=1" }),
        json!({ "greeting": "hello" }),
    ])
    .await;
}

#[tokio::test]
async fn a_context_of_other_types_starts_a_trace() {
    starts_a_trace([
        json!({ "traceparent": 7 }),
        json!({ "traceparent": { "trace_id": TRACE } }),
        json!({ "traceparent": [null, true] }),
        json!(7),
        json!(["traceparent"]),
        json!(null),
    ])
    .await;
}

#[tokio::test]
async fn a_picture_stays_in_the_store() {
    let collector = Collector::start().unwrap();
    let worker = Service::worker(&collector);
    for key in ["../a.png", "/tmp/a.png", "..", "", "a/"] {
        let (status, answer) = worker.ask(key, None).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let error = format!("`{key}` is not the name of a file; ");
        assert!(answer["error"].as_str().unwrap().starts_with(&error), "{answer}");
    }
    worker.stop();
}

#[tokio::test]
async fn a_pipeline_without_a_worker_says_so() {
    let collector = Collector::start().unwrap();
    let pipeline = Service::start(&collector, &["serve-pipeline", "http://127.0.0.1:9/pictures"]);
    let (status, answer) = pipeline.ask("a.png", None).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let error = answer["error"].as_str().unwrap();
    assert!(error.starts_with("no answer from http://127.0.0.1:9/pictures; "), "{answer}");
    pipeline.stop();
    let outline = collector.outline(answer["trace_id"].as_str().unwrap()).unwrap();
    assert!(outline.contains("└─ request-inference [client] error.type"), "{outline}");
    assert_eq!(outline.matches("• exception ").count(), 1, "{outline}");
}
