//! Links and baggage: what `#[propagate]` does beside parents.

use std::collections::HashMap;

use crate::recorder::{record, record_async};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use spandrel::{Callsite, SpanKind, TraceContext, propagate, span};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Headers = HashMap<String, String>;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn baggage(key: &str) -> Option<String> {
    Context::map_current(|context| context.baggage().get(key).map(ToString::to_string))
}

struct Message {
    headers: Headers,
    tenant: Option<&'static str>,
}

#[propagate(link(first.headers, second.headers))]
#[span("batch", kind(consumer))]
fn batch(first: &Message, second: &Message) {}

#[test]
fn a_batch_is_linked_to_what_it_came_from() {
    let first = Message { headers: headers(&[("traceparent", PARENT)]), tenant: None };
    let second = Message { headers: headers(&[]), tenant: None };
    let recording = record(|| outer(|| batch(&first, &second)));
    let span = &recording.spans()[1];
    let links: Vec<String> =
        span.links.iter().map(|link| link.span_context.trace_id().to_string()).collect();
    assert_eq!(links, [TRACE], "what has no context is no link");
    assert_eq!(span.parent_span_id, recording.spans()[0].span_context.span_id());
}

#[span]
fn outer(body: impl FnOnce()) {
    body();
}

#[span("sets")]
#[propagate(
    message.headers,
    baggage(tenant.id = message.tenant, attempt = 2, route = %message.headers.len(), "user-role"),
    inject(out)
)]
async fn sets(message: &Message, out: &mut TraceContext) {
    tokio::task::yield_now().await;
    assert_eq!(baggage("tenant.id").as_deref(), message.tenant);
    records();
}

#[propagate(baggage(tenant.id, attempt, region))]
#[span]
fn records() {}

#[tokio::test]
async fn entries_are_set_over_the_caller_s_and_recorded_where_they_are_named() {
    let incoming =
        [("traceparent", PARENT), ("baggage", "attempt=1;by=us,user-role=admin,region=eu")];
    let message = Message { headers: headers(&incoming), tenant: Some("acme") };
    let mut out = TraceContext::default();
    let recording = record_async(sets(&message, &mut out)).await;
    assert_eq!(
        recording.to_string(),
        "sets user-role=\"admin\"\n└─ records tenant.id=\"acme\" attempt=\"2\" region=\"eu\"\n"
    );
    assert_eq!(baggage("tenant.id"), None, "it ends with the function");
    let sent = serde_json::to_value(&out).expect("JSON");
    let mut entries: Vec<&str> = sent["baggage"].as_str().expect("baggage").split(',').collect();
    entries.sort_unstable();
    assert_eq!(entries, ["attempt=2", "region=eu", "route=2", "tenant.id=acme", "user-role=admin"]);
}

#[tokio::test]
async fn nothing_is_set_for_none_and_nothing_recorded_of_what_is_not_there() {
    let message = Message { headers: headers(&[]), tenant: None };
    let mut out = TraceContext::default();
    let recording = record_async(sets(&message, &mut out)).await;
    assert_eq!(recording.to_string(), "sets\n└─ records attempt=\"2\"\n");
}

#[propagate(baggage(tenant.id = tenant))]
fn alone(tenant: &str, body: impl FnOnce()) {
    body();
}

struct Worker(&'static str);

impl Worker {
    #[propagate(baggage(worker = self.0))]
    #[span("work", parent(parent))]
    fn work(&self, parent: &Context) {
        assert_eq!(baggage("worker").as_deref(), Some(self.0));
        assert_eq!(baggage("tenant.id").as_deref(), Some("acme"));
    }
}

#[test]
fn baggage_needs_no_span_and_no_recorder() {
    alone("acme", || {
        assert_eq!(baggage("tenant.id").as_deref(), Some("acme"));
        alone("other", || assert_eq!(baggage("tenant.id").as_deref(), Some("other")));
        Worker("first").work(&Context::current());
    });
    let recording = record(|| alone("acme", || Worker("second").work(&Context::current())));
    assert_eq!(recording.to_string(), "work\n");
}

#[test]
fn by_hand_it_is_the_same() {
    static WORK: Callsite = Callsite::new("work", SpanKind::Internal, "tests", None);
    let start = || {
        WORK.builder()
            .set_baggage(|entries| entries.set("tenant.id", "acme"))
            .record_baggage(&["tenant.id"])
            .start(|attributes| attributes.set("tenant.id", "its own comes later"))
    };
    let recording = record(|| {
        let _entered = start().enter();
        assert_eq!(baggage("tenant.id").as_deref(), Some("acme"));
    });
    assert_eq!(recording.to_string(), "work tenant.id=\"its own comes later\"\n");
}

#[propagate(headers, baggage(tenant.id = tenant))]
fn of_tenant(headers: &Headers, tenant: &str) -> (usize, Option<String>) {
    let entries = Context::map_current(|context| context.baggage().len());
    (entries, baggage("tenant.id"))
}

#[test]
fn a_caller_cannot_keep_out_what_is_set_here() {
    let many: Vec<String> = (0..64).map(|number| format!("key{number}=value")).collect();
    let full = format!("tenant.id=theirs,pad={}", "x".repeat(8150));
    for received in [many.join(","), full] {
        let (entries, tenant) = of_tenant(&headers(&[("baggage", &received)]), "ours");
        assert_eq!(tenant.as_deref(), Some("ours"));
        assert!(entries <= 64);
    }
}
