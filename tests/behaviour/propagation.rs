//! Trace context across functions that stand for processes.

use std::collections::{BTreeMap, HashMap};

use crate::recorder::{record, record_async};
use opentelemetry::propagation::{Extractor, Injector};
use spandrel::testing::Recording;
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

#[propagate(inject(carrier))]
fn into_pairs(carrier: &mut Vec<(String, String)>) {}

#[propagate(inject(carrier))]
fn into_map(carrier: &mut BTreeMap<String, String>) {}

#[propagate(inject(carrier))]
fn into_headers(carrier: &mut http::HeaderMap) {}

#[propagate(inject(carrier))]
fn into_body(carrier: &mut TraceContext) {}

#[test]
fn nothing_of_another_context_stays_in_a_carrier() {
    let old = [("TraceParent", PARENT), ("tracestate", "a=1"), ("Baggage", "tenant.id=old")];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut pairs: Vec<(String, String)> = old.map(own).into();
    let mut map: BTreeMap<String, String> = pairs.iter().cloned().collect();
    let mut header_map = http::HeaderMap::new();
    for (name, value) in &pairs {
        let name: http::HeaderName = name.parse().expect("a name");
        header_map.insert(name, value.parse().expect("a value"));
    }
    let mut body: TraceContext = pairs.iter().cloned().collect();
    pairs.push(("other".to_owned(), "stays".to_owned()));
    record(|| {
        outside(|| {
            into_pairs(&mut pairs);
            into_map(&mut map);
            into_headers(&mut header_map);
            into_body(&mut body);
        });
    });
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["other", "traceparent"]);
    assert_eq!(map.keys().collect::<Vec<_>>(), ["traceparent"]);
    assert_eq!(header_map.keys().collect::<Vec<_>>(), ["traceparent"]);
    assert_eq!(body.keys(), ["traceparent"]);
    assert_ne!(header_map["traceparent"], PARENT);
}

#[span]
fn outside(body: impl FnOnce()) {
    body();
}

/// A carrier round another one, and a trait whose method has the name of ours.
struct Wrapper<'a>(&'a HashMap<String, String>);

impl Wrapper<'_> {
    fn extract_context(&self) -> usize {
        self.0.len()
    }
}

impl Extractor for Wrapper<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

#[propagate(extract(Wrapper(headers)))]
#[span("wrapped")]
#[rustfmt::skip]
fn wrapped(headers: &HashMap<String, String>) -> usize { Wrapper(headers).extract_context() }

#[propagate(body)]
#[span("optional")]
fn optional(body: Option<TraceContext>) {}

#[test]
fn carriers_may_be_wrapped_or_missing() {
    continues(&record(|| assert_eq!(wrapped(&headers()), 1)));
    continues(&record(|| optional(Some(headers().into_iter().collect()))));
    assert_eq!(record(|| optional(None)).spans()[0].parent_span_id, spandrel::SpanId::INVALID);
}

/// Bodies of one line get no braces of their own, which the compiler would warn of.
#[deny(unused_braces)]
#[propagate(inject(headers))]
#[rustfmt::skip]
fn on_one_line(headers: &mut HashMap<String, String>) -> usize { headers.len() }

#[test]
fn the_end_of_a_thread_is_no_place_for_a_trace_and_no_harm() {
    struct Goodbye;

    impl Drop for Goodbye {
        fn drop(&mut self) {
            let mut sent = HashMap::new();
            assert_eq!(on_one_line(&mut sent), 0);
            sync_without_a_span(&http::HeaderMap::new());
            spandrel::carry(unnamed)();
            assert!(TraceContext::current().is_empty());
            drop(spandrel::InCurrentTrace::in_current_trace(async {}));
        }
    }

    // Made before the thread has a context, so that it goes after that.
    thread_local!(static GOODBYE: Goodbye = const { Goodbye });

    let thread = std::thread::spawn(|| {
        GOODBYE.with(|_| ());
        record(unnamed);
    });
    thread.join().expect("it ends");
}
