//! A function sees what is recorded first. `sdk` records by OpenTelemetry's SDK.

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue, Value, global};
use spandrel::{Config, Redaction, current, install, span, traced_app};
use spandrel_tests::Silent;

/// Tokens are replaced, passwords are removed, and what is numbered stays.
fn redact(key: &str, value: &Value) -> Redaction {
    // Nothing of this is recorded, and it does no harm, though the lock of the current span may be held.
    current().set("seen", "token of the function's own");
    current().event("seen", ());
    current().fail("token of the function's own");
    work("token of the function's own");
    global::tracer("foreign").start("seen").end();
    assert!(key != "panics", "the function panics");
    let text = value.as_str();
    match key {
        "password" => Redaction::Remove,
        _ if text.contains("token") => Redaction::Replace(format!("[{key}]").into()),
        _ => Redaction::Keep,
    }
}

struct Program(&'static str);

#[traced_app("redacts", team = "token of the resource", redact(redact), baggage(baggage.token))]
impl Program {
    fn setup() -> Self {
        Self("secret")
    }

    fn run(&self) {
        let baggage = Context::current_with_baggage([KeyValue::new("baggage.token", "token 1")]);
        let _attached = baggage.attach();
        let _ = request("token 2", self.0, 7);
        foreign();
    }
}

fn main() {
    let by_sdk = std::env::args().nth(1).is_some_and(|how| how == "sdk");
    let _app = by_sdk.then(|| {
        let config = Config::new("redacts").redact(redact).baggage(["baggage.token"]);
        install(config.processor(Silent))
    });
    if by_sdk {
        Program("secret").run();
    } else {
        Program::setup().run();
    }
}

#[span("request", panics = true, list = ["token 3", "b"])]
fn request(
    #[record] token: &str,
    #[record] password: &str,
    #[record] number: u8,
) -> Result<(), String> {
    current().set("later", "token 4");
    current().set("password", "secret");
    current().event("event", [("event.token", "token 5"), ("password", "secret"), ("kept", "yes")]);
    work("token 6");
    current().fail("token 14");
    Context::map_current(|context| {
        context.span().set_attribute(KeyValue::new("by.api", "token 15"));
    });
    Err("the token 7 is not valid".to_owned())
}

#[span("work", text = text)]
fn work(text: &str) {}

/// By OpenTelemetry's API.
fn foreign() {
    let tracer = global::tracer("foreign");
    let to =
        SpanContext::new(1.into(), SpanId::from(2), TraceFlags::SAMPLED, true, TraceState::NONE);
    let attribute = |text: &'static str| {
        vec![KeyValue::new("foreign.token", text), KeyValue::new("password", "secret")]
    };
    let link = Link::new(to.clone(), attribute("token 8"), 0);
    let builder = tracer.span_builder("foreign");
    let mut span =
        builder.with_attributes(attribute("token 9")).with_links(vec![link]).start(&tracer);
    span.add_event("event", attribute("token 10"));
    span.add_link(to, attribute("token 11"));
    span.set_attribute(KeyValue::new("set", "token 12"));
    span.set_status(Status::error("token 13"));
    span.end();
}
