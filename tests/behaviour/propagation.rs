//! Trace context across functions that stand for processes.

use std::collections::{BTreeMap, HashMap};

use opentelemetry::propagation::{Extractor, Injector};
use spandrel::testing::{Recording, record, record_async};
use spandrel::{TraceContext, propagate, span};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn headers() -> HashMap<String, String> {
    HashMap::from([("traceparent".to_owned(), PARENT.to_owned())])
}

/// The trace of the first span, and its parent.
fn origin(recording: &Recording) -> (String, String) {
    let span = &recording.spans()[0];
    (span.span_context.trace_id().to_string(), span.parent_span_id.to_string())
}

fn continues(recording: &Recording) {
    assert_eq!(origin(recording), (TRACE.to_owned(), "00f067aa0ba902b7".to_owned()));
}

#[propagate(headers)]
#[span("above")]
fn above(headers: &HashMap<String, String>) {}

#[span("below")]
#[propagate(headers)]
fn below(headers: HashMap<String, String>) {}

#[propagate(extract(input.trace_context))]
#[span("body")]
async fn body(input: Input) {}

struct Input {
    trace_context: TraceContext,
}

#[tokio::test]
async fn a_span_continues_the_caller_s_trace() {
    continues(&record(|| above(&headers())));
    continues(&record(|| below(headers())));
    let json = format!(r#"{{"traceparent":"{PARENT}"}}"#);
    let trace_context = serde_json::from_str(&json).expect("a carrier");
    continues(&record_async(body(Input { trace_context })).await);
}

#[propagate(headers)]
fn sync_without_a_span(headers: &http::HeaderMap) {
    unnamed();
}

#[propagate(headers)]
async fn async_without_a_span(headers: &[(&str, &str)]) {
    tokio::task::yield_now().await;
    unnamed();
}

#[span]
fn unnamed() {}

#[tokio::test]
async fn without_a_span_the_context_goes_to_what_is_called() {
    let mut map = http::HeaderMap::new();
    map.insert("traceparent", PARENT.parse().expect("a header"));
    continues(&record(|| sync_without_a_span(&map)));
    continues(&record_async(async_without_a_span(&[("Traceparent", PARENT)])).await);
}

#[test]
fn without_a_recorder_the_context_is_passed_on() {
    #[propagate(headers, inject(out))]
    #[span("off")]
    fn off(headers: &HashMap<String, String>, out: &mut BTreeMap<String, String>) {}

    let mut out = BTreeMap::new();
    off(&headers(), &mut out);
    assert_eq!(out["traceparent"], PARENT);
}

#[span("sends", kind(client))]
#[propagate(inject(request.headers_mut()))]
fn sends(request: &mut http::Request<()>) {}

#[propagate(inject(message.0))]
#[span("publishes", kind(producer))]
async fn publishes(mut message: Message) -> Message {
    message
}

struct Message(Vec<(String, String)>);

#[tokio::test]
async fn what_is_injected_is_the_span_itself() {
    let mut request = http::Request::new(());
    let recording = record(|| sends(&mut request));
    let span = recording.spans()[0].span_context.span_id().to_string();
    let header = request.headers()["traceparent"].to_str().expect("text").to_owned();
    assert!(header.contains(&span), "{header} names {span}");

    let mut message = Message(Vec::new());
    let old = Message(vec![("TraceParent".to_owned(), "old".to_owned())]);
    let recording = record_async(async { message = publishes(old).await }).await;
    let span = recording.spans()[0].span_context.span_id().to_string();
    let [(_, header), ..] = &message.0[..] else { panic!("a header") };
    assert!(header.contains(&span), "{header} names {span}");
    let names = message.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case("traceparent"));
    assert_eq!(names.count(), 1);
}

#[derive(Default)]
struct Own(Option<String>);

impl Extractor for Own {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == "traceparent")
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

impl Injector for Own {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = Some(value);
        }
    }
}

#[propagate(extract(from), inject(to))]
#[span("generic")]
fn generic<E: Extractor, I: Injector>(from: &E, to: &mut I) {}

#[test]
fn any_extractor_and_injector_is_a_carrier() {
    let mut to = Own::default();
    let recording = record(|| generic(&Own(Some(PARENT.to_owned())), &mut to));
    continues(&recording);
    assert!(to.0.expect("injected").starts_with(&format!("00-{TRACE}-")));
}

#[test]
fn malformed_input_starts_a_new_trace() {
    for bad in ["", "nonsense", "00-0-0-00", &PARENT[..50]] {
        let headers = HashMap::from([("traceparent".to_owned(), bad.to_owned())]);
        let (trace, parent) = origin(&record(|| above(&headers)));
        assert_ne!(trace, TRACE);
        assert_eq!(parent, "0000000000000000", "{bad:?}");
    }
}

#[derive(serde::Serialize)]
struct Output {
    #[serde(skip_serializing_if = "TraceContext::is_empty")]
    trace_context: TraceContext,
}

#[span("answers")]
fn answers() -> String {
    serde_json::to_string(&Output { trace_context: TraceContext::current() }).expect("JSON")
}

#[test]
fn a_body_carries_the_context_and_is_silent_without_one() {
    assert_eq!(answers(), "{}");
    let mut json = String::new();
    let recording = record(|| json = answers());
    let trace = recording.spans()[0].span_context.trace_id();
    assert!(
        json.starts_with(&format!(r#"{{"trace_context":{{"traceparent":"00-{trace}-"#)),
        "{json}"
    );
}

#[propagate(extract(from), inject(to))]
fn dynamic(from: &dyn Extractor, to: &mut dyn Injector) {}

#[test]
fn trait_objects_are_carriers() {
    let mut to = Own::default();
    dynamic(&headers(), &mut to);
    assert_eq!(to.0.as_deref(), Some(PARENT));
}

#[propagate(inject(out))]
fn boxed<'a>(
    out: &'a mut TraceContext,
) -> std::pin::Pin<Box<dyn Future<Output = Result<bool, String>> + 'a>> {
    let empty = out.is_empty();
    Box::pin(async move {
        #[span("block")]
        let empty = Err(empty.to_string());
        empty
    })
}

#[async_trait::async_trait]
trait Sends {
    #[propagate(inject(out))]
    async fn send(&self, out: &mut TraceContext) -> usize {
        usize::from(out.is_empty())
    }
}

impl Sends for Input {}

#[tokio::test]
async fn a_boxed_future_hands_the_context_on() {
    let mut sent = TraceContext::default();
    let recording = record_async(async {
        outer(async {
            boxed(&mut sent).await.expect_err("it says so");
            let trace_context = TraceContext::default();
            assert_eq!(Input { trace_context }.send(&mut TraceContext::default()).await, 0);
        })
        .await;
    })
    .await;
    assert!(recording.to_string().starts_with("outer\n└─ block error.type"), "{recording}");
    assert!(!sent.is_empty());
}

#[span]
async fn outer<F: Future>(call: F) -> F::Output {
    call.await
}
