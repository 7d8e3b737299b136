//! A service between two others: gets headers as arguments, and writes those that it sends.

use std::collections::{BTreeMap, HashMap};

use opentelemetry::trace::{TraceContextExt, Tracer};
use opentelemetry::{Context, global};
use spandrel::{Config, ToContext, TraceContext, propagate, span};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let how = arguments.next().unwrap_or_default();
    let header = |argument: String| {
        let (name, value) = argument.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    let received: BTreeMap<String, String> = arguments.filter_map(header).collect();
    // A library's way: nothing is set up.
    let app = (how != "library").then(|| spandrel::install(Config::new("hop")));
    let mut sent = BTreeMap::new();
    match how.as_str() {
        "global" => relays(&received, &mut sent),
        "body" => carries(received, &mut sent),
        "nested" => nests(&received, &mut sent),
        "rooted" => roots(&received, &mut sent),
        "foreign" => joins(&received, &mut sent),
        "passed" => passes(&received, &mut sent),
        _ => serves(&received, &mut sent),
    }
    for (name, value) in sent {
        println!("{name}: {value}");
    }
    drop(app);
}

#[propagate(received, inject(sent))]
#[span("serves", kind(server))]
fn serves(received: &BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {}

/// Another instrumentation, by OpenTelemetry's own API.
fn relays(received: &BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {
    let received: HashMap<String, String> = received.clone().into_iter().collect();
    let context: Context = global::get_text_map_propagator(|it| it.extract(&received));
    let mut headers = HashMap::new();
    global::get_text_map_propagator(|it| it.inject_context(&context, &mut headers));
    sent.extend(headers);
}

/// In the body of a message.
fn carries(received: BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {
    let received: TraceContext = received.into_iter().collect();
    let attached = received.to_context().attach();
    serves(&BTreeMap::new(), sent);
    drop(attached);
}

/// Writes of the outer span that its attributes were evaluated, and of the inner one what it sends.
#[propagate(received)]
#[span("outer", kind(server), evaluated = sent.insert("evaluated".into(), "yes".into()).is_none())]
fn nests(received: &BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {
    serves(&BTreeMap::new(), sent);
}

/// A trace of its own in a request.
#[propagate(received)]
#[span("outer", kind(server))]
fn roots(received: &BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {
    rooted(sent);
}

#[propagate(inject(sent))]
#[span("rooted", root)]
fn rooted(sent: &mut BTreeMap<String, String>) {}

/// The request's span is another instrumentation's, by OpenTelemetry's own API.
fn joins(received: &BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {
    let received: HashMap<String, String> = received.clone().into_iter().collect();
    let context: Context = global::get_text_map_propagator(|it| it.extract(&received));
    let span = global::tracer("foreign").start_with_context("outer", &context);
    let attached = context.with_span(span).attach();
    serves(&BTreeMap::new(), sent);
    drop(attached);
}

/// No span at all.
#[propagate(received, inject(sent))]
fn passes(received: &BTreeMap<String, String>, sent: &mut BTreeMap<String, String>) {}
