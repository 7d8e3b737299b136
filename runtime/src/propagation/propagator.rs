//! The propagator of `extract` and `inject`.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use percent_encoding::{CONTROLS, utf8_percent_encode};

/// The SDK's propagators, which let through what headers cannot hold.
#[derive(Debug)]
pub(crate) struct Propagator(TextMapCompositePropagator);

impl Propagator {
    pub(crate) fn new() -> Self {
        Self(TextMapCompositePropagator::new(vec![
            Box::new(TraceContextPropagator::new()),
            Box::new(BaggagePropagator::new()),
        ]))
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(context, &mut Encoded(injector));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(context, &Checked(extractor))
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

/// Properties of baggage come in percent-encoded and would go out as they are, line ends among them.
struct Encoded<'a>(&'a mut dyn Injector);

impl Injector for Encoded<'_> {
    fn set(&mut self, key: &str, value: String) {
        let value = match Cow::from(utf8_percent_encode(&value, CONTROLS)) {
            Cow::Borrowed(_) => value,
            Cow::Owned(encoded) => encoded,
        };
        self.0.set(key, value);
    }
}

/// A `tracestate` is printable, or none.
struct Checked<'a>(&'a dyn Extractor);

impl Extractor for Checked<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let printable =
            |value: &&str| value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        self.0.get(key).filter(|value| key != "tracestate" || printable(value))
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.0.get_all(key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn passed_on(name: &str, value: &str) -> HashMap<String, String> {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let received = [("traceparent", traceparent), (name, value)];
        let received = received.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let propagator = Propagator::new();
        let context = propagator.extract(&HashMap::from(received));
        let mut sent = HashMap::new();
        propagator.inject_context(&context, &mut sent);
        sent
    }

    #[test]
    fn a_line_end_in_baggage_does_not_become_one_in_a_header() {
        let sent = passed_on("baggage", "a=1;b=%0D%0Aset-cookie: c");
        assert_eq!(sent["baggage"], "a=1;b=%0D%0Aset-cookie: c");
    }

    #[test]
    fn a_tracestate_that_no_header_can_hold_is_none() {
        assert_eq!(passed_on("tracestate", "a=1")["tracestate"], "a=1");
        assert_eq!(passed_on("tracestate", "a=1\r\nset-cookie: c")["tracestate"], "");
    }
}
