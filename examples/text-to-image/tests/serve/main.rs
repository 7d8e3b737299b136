//! The server, as its clients see it, and its traces, as a collector does.

mod page;
mod process;

use std::time::Duration;

use collector::Collector;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use process::Server;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn a_picture_comes_with_its_trace() {
    let collector = Collector::start().unwrap();
    let server = Server::start(&["--no-warm-up"], Some(&collector));
    let (status, output) = server
        .ask(&json!({
            "prompt": "red wibbly heart",
            "num_inference_steps": 2,
            "seed": 7,
            "trace_context": { "traceparent": format!("00-{TRACE}-{SPAN}-01") },
        }))
        .await;
    assert_eq!(status, StatusCode::OK, "{output}");
    assert_eq!((&output["seed"], &output["unknown_words"]), (&json!(7), &json!(["wibbly"])));
    assert_eq!(output["trace_id"], TRACE);
    let png = output["image"].as_str().unwrap();
    assert!(png.starts_with("iVBORw0KGgo"), "a PNG in base64: {png:.20}");

    let waterfall = server.waterfall(TRACE).await;
    assert_eq!(
        waterfall,
        "text-to-image\n  queue\n  inference\n  upload\nbatch\n  inference\n    denoise-step\n    denoise-step\n"
    );
    server.stop();
    assert_eq!(
        collector.outline(TRACE).unwrap(),
        "text-to-image service.name=\"text-to-image\" model.name=\"emoji-64\" prompt.length=16 \
         num_inference_steps=2 guidance_scale=2\n├─ queue\n├─ inference batch.size=1\n└─ upload\n"
    );
}

#[tokio::test]
async fn what_waits_is_drawn_together_and_linked_to_each_request() {
    let collector = Collector::start().unwrap();
    let server = Server::start(&["--no-warm-up", "--batch", "4"], Some(&collector));
    let input = |seed: u64| json!({ "prompt": "pizza", "num_inference_steps": 10, "seed": seed });
    let asked = futures::future::join_all((0..5).map(|seed| {
        let (server, input) = (&server, input(seed));
        async move { server.ask(&input).await }
    }));
    let answers = asked.await;
    let alone = server.ask(&input(3)).await;
    assert_eq!(answers[3].1["image"], alone.1["image"], "whatever is drawn beside it");
    server.stop();

    let spans = collector.traces().into_iter().flat_map(|trace| collector.spans(&trace));
    let spans: Vec<_> = spans.collect();
    let batches: Vec<_> = spans.iter().filter(|span| span.data.name == "batch").collect();
    assert!(batches.len() < 6, "five requests at once are not five batches: {}", batches.len());
    let mut linked: Vec<String> = batches
        .iter()
        .flat_map(|batch| batch.data.links.iter())
        .map(|link| link.span_context.trace_id().to_string())
        .collect();
    let mut traces: Vec<String> = answers
        .iter()
        .chain([&alone])
        .map(|(_, output)| output["trace_id"].as_str().unwrap().to_owned())
        .collect();
    linked.sort();
    traces.sort();
    assert_eq!(linked, traces, "each request is in one batch");
    for span in spans.iter().filter(|span| span.data.name == "inference") {
        let root = span.data.parent_span_id;
        let in_batch = batches.iter().any(|batch| batch.data.span_context.span_id() == root);
        assert_eq!(span.data.links.len(), usize::from(!in_batch), "and says in which");
    }
}

#[tokio::test]
async fn bad_requests_are_told_what_to_do() {
    let server = Server::start(&["--no-warm-up", "--max-steps", "50"], None);
    for (input, expected) in [
        (json!({}), "missing field `prompt`"),
        (json!({ "prompt": "xyzzy" }), "no word of `xyzzy` is known; try `red heart`"),
        (json!({ "prompt": "cat ".repeat(12) }), "12 words of the prompt are known, at most 11"),
        (json!({ "prompt": "cat", "steps": 3 }), "unknown field `steps`, expected one of `prompt`"),
        (json!({ "prompt": "cat", "num_inference_steps": 0 }), "is 0, this server takes 1 to 50"),
        (json!({ "prompt": "cat", "num_inference_steps": 51 }), "is 51, this server takes 1 to 50"),
        (json!({ "prompt": "cat", "guidance_scale": 21 }), "scale is 21, it must be 0 to 20"),
        (json!({ "prompt": "cat", "seed": -1 }), "invalid value: integer `-1`"),
    ] {
        let (status, output) = server.ask(&input).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{input}");
        let said = output["error"].as_str().unwrap();
        assert!(said.contains(expected), "{said}");
    }
    let failed = server.ask(&json!({ "prompt": "xyzzy" })).await.1;
    let trace = failed["trace_id"].as_str().unwrap();
    assert_eq!(server.waterfall(trace).await, "POST /v1/images\n  text-to-image\n");

    let long = server.ask(&json!({ "prompt": "cat ".repeat(5000) })).await;
    assert_eq!(long.0, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = reqwest::get(format!("{}/v1/traces/{TRACE}", server.address)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let said: Value = answer.json().await.unwrap();
    assert!(said["error"].as_str().unwrap().starts_with("there is no trace `4bf92f"), "{said}");
}

#[tokio::test]
async fn more_than_can_wait_is_told_to_come_again() {
    let server = Server::start(&["--no-warm-up", "--batch", "1", "--queue", "1"], None);
    let input = json!({ "prompt": "pizza", "num_inference_steps": 40 });
    let asked = futures::future::join_all((0..6).map(|_| server.post(&input))).await;
    let busy: Vec<_> =
        asked.iter().filter(|answer| answer.status() == StatusCode::SERVICE_UNAVAILABLE).collect();
    assert!(!busy.is_empty() && busy.len() < 6, "{} of 6", busy.len());
    assert!(busy.iter().all(|answer| answer.headers()[RETRY_AFTER] == "1"));
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_answers_first() {
    let collector = Collector::start().unwrap();
    let server = Server::start(&["--no-warm-up"], Some(&collector));
    let answer = tokio::spawn(server.post(&json!({ "prompt": "sun", "num_inference_steps": 60 })));
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.stop();
    let output: Value = answer.await.unwrap().json().await.unwrap();
    let trace = output["trace_id"].as_str().unwrap();
    assert_eq!(collector.spans(trace).len(), 5, "{:?}", collector.outline(trace));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = Server::start(&["--no-warm-up"], None);
    let taken = server.address.trim_start_matches("http://");
    let said = process::said(&["--no-warm-up", "--listen", taken]);
    assert!(said.contains(&format!("cannot listen on {taken}: ")), "{said}");
    assert!(said.contains("name another address, port 0 is a free one"), "{said}");
}
