//! The rules of W3C Trace Context, level 2, and of W3C Baggage, a test each, named after their
//! section. `docs/propagation.md` lists them.

mod baggage;
mod input;
mod traceparent;
mod tracestate;

use crate::recorder::record;
use http::{HeaderMap, HeaderName, HeaderValue};
use spandrel::{Context, propagate, span};

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// What a service sends to the next.
struct Sent(HeaderMap);

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<&HeaderValue> = self.0.get_all(name).iter().collect();
        assert!(values.len() <= 1, "{name} is sent once: {values:?}");
        values.first().map(|value| value.to_str().expect("text"))
    }

    /// Version, trace, parent and flags.
    fn traceparent(&self) -> [&str; 4] {
        let header = self.header("traceparent").expect("a trace");
        assert_eq!(header.len(), 55, "{header}");
        header.split('-').collect::<Vec<_>>().try_into().expect("four fields")
    }

    fn trace(&self) -> &str {
        self.traceparent()[1]
    }

    fn tracestate(&self) -> Option<&str> {
        self.header("tracestate")
    }

    fn baggage(&self) -> Option<&str> {
        self.header("baggage")
    }
}

#[propagate(headers, inject(sent))]
#[span("serves", kind(server))]
fn serves(headers: &HeaderMap, sent: &mut HeaderMap) {}

/// A hop through a service that records a span.
fn serve(headers: &HeaderMap) -> Sent {
    let mut sent = HeaderMap::new();
    record(|| serves(headers, &mut sent));
    Sent(sent)
}

#[propagate(headers, inject(sent))]
fn passes(headers: &HeaderMap, sent: &mut HeaderMap) {}

/// A hop through a service that records none.
fn pass(headers: &HeaderMap) -> Sent {
    let mut sent = HeaderMap::new();
    passes(headers, &mut sent);
    Sent(sent)
}

/// A hop from this context on.
fn send(context: Context) -> Sent {
    #[propagate(inject(sent))]
    fn sends(sent: &mut HeaderMap) {}

    let mut sent = HeaderMap::new();
    let attached = context.attach();
    sends(&mut sent);
    drop(attached);
    Sent(sent)
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

/// What a service sends that has got a `traceparent` and these.
fn traced(pairs: &[(&str, &str)]) -> Sent {
    let mut headers = headers(pairs);
    headers.insert("traceparent", HeaderValue::from_static(PARENT));
    serve(&headers)
}
