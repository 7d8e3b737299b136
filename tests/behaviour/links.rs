//! Links to what carriers name, and to nothing where a carrier names no trace.

use std::collections::{BTreeMap, HashMap};

use crate::recorder::record;
use opentelemetry_sdk::trace::SpanData;
use spandrel::testing::Recording;
use spandrel::{Carrier, Context, SpanId, TraceContext, current, extract, propagate, span};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Headers = HashMap<String, String>;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Carriers that name no trace.
fn without_a_trace() -> [Headers; 5] {
    [
        headers(&[]),
        headers(&[("x", "y")]),
        headers(&[("baggage", "a=1")]),
        headers(&[("tracestate", "a=1")]),
        headers(&[("traceparent", "nonsense")]),
    ]
}

#[span]
fn poll(body: impl FnOnce()) {
    body();
}

#[span(links(contexts))]
fn batch(contexts: Vec<Context>) {}

#[span(root, links(contexts))]
fn rooted(contexts: Vec<Context>) {}

#[span(links(carriers))]
fn bodies(carriers: Vec<TraceContext>) {}

fn named<'a>(recording: &'a Recording, name: &str) -> &'a SpanData {
    recording.spans().iter().find(|span| span.name == name).expect("it was recorded")
}

fn links(span: &SpanData) -> Vec<SpanId> {
    span.links.iter().map(|link| link.span_context.span_id()).collect()
}

#[test]
fn an_extracted_context_without_a_trace_is_no_link() {
    let contexts = || without_a_trace().iter().map(extract).collect();
    let recording = record(|| poll(|| batch(contexts())));
    assert_eq!(links(named(&recording, "batch")), []);
    // Extracted in another span than that which is linked.
    let recording = record(|| {
        poll(|| {
            let contexts = contexts();
            poll(|| batch(contexts));
        });
    });
    assert_eq!(links(named(&recording, "batch")), []);
    let recording = record(|| poll(|| contexts().iter().for_each(|it| current().link(it))));
    assert_eq!(links(named(&recording, "poll")), []);
}

#[test]
fn an_extracted_context_with_a_trace_is_a_link_beside_those_without() {
    let carriers = [headers(&[]), headers(&[("traceparent", PARENT)]), headers(&[("x", "y")])];
    let recording = record(|| poll(|| batch(carriers.iter().map(extract).collect())));
    assert_eq!(links(named(&recording, "batch")), [SpanId::from(0x00f0_67aa_0ba9_02b7)]);
}

#[test]
fn carriers_of_every_kind_without_a_trace_are_no_links() {
    let pairs: &[(&str, &str)] = &[("x", "y")];
    let contexts = || {
        vec![
            pairs.extract_context(),
            BTreeMap::<String, String>::new().extract_context(),
            http::HeaderMap::new().extract_context(),
            None::<http::HeaderMap>.extract_context(),
            Some(http::HeaderMap::new()).extract_context(),
            extract(&TraceContext::default()),
        ]
    };
    let recording = record(|| poll(|| batch(contexts())));
    assert_eq!(links(named(&recording, "batch")), []);
    let recording = record(|| poll(|| bodies(vec![TraceContext::default()])));
    assert_eq!(links(named(&recording, "bodies")), []);
}

#[test]
fn a_root_is_linked_to_the_span_that_it_started_in_only() {
    let recording = record(|| poll(|| rooted(vec![extract(&headers(&[]))])));
    assert_eq!(
        links(named(&recording, "rooted")),
        [named(&recording, "poll").span_context.span_id()]
    );
}

/// Another process's span is active there, and the carrier does not name that one either.
#[test]
fn under_a_remote_span_it_is_the_same() {
    #[propagate(request)]
    fn serve(request: &Headers, jobs: &[Headers]) {
        batch(jobs.iter().map(extract).collect());
    }

    let request = headers(&[("traceparent", PARENT)]);
    let recording = record(|| serve(&request, &[headers(&[]), headers(&[("x", "y")])]));
    assert_eq!(links(named(&recording, "batch")), []);
    // A job that this very trace has sent is a link.
    let recording = record(|| serve(&request, std::slice::from_ref(&request)));
    assert_eq!(links(named(&recording, "batch")), [SpanId::from(0x00f0_67aa_0ba9_02b7)]);
}

#[test]
fn the_current_span_can_be_linked_wherever_it_is_asked_for() {
    #[propagate(headers)]
    fn serve(headers: &Headers) -> Vec<Context> {
        vec![Context::current()]
    }

    #[propagate(headers)]
    #[span]
    fn spanned(headers: &Headers) -> Vec<Context> {
        vec![Context::current()]
    }

    let recording = record(|| {
        poll(|| {
            let contexts = [serve(&headers(&[])), spanned(&headers(&[]))].concat();
            poll(|| batch(contexts));
        });
    });
    let expected = ["poll", "spanned"].map(|name| named(&recording, name).span_context.span_id());
    assert_eq!(links(named(&recording, "batch")), expected);
    let attached = |body: fn()| {
        let context = extract(&headers(&[]));
        let guard = context.attach();
        body();
        drop(guard);
    };
    let recording = record(|| poll(|| attached(|| current().link(current()))));
    assert_eq!(links(named(&recording, "poll")).len(), 1, "it was asked for by name");
}

#[test]
fn without_a_trace_in_the_carrier_the_current_span_is_still_the_parent() {
    #[propagate(headers)]
    #[span]
    fn child(headers: &Headers) {}

    let recording = record(|| poll(|| child(&headers(&[]))));
    assert_eq!(recording.to_string(), "poll\n└─ child\n");
}
