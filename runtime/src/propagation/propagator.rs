//! The propagator of `extract` and `inject`, and the global one.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::format::{Extracted, Format};
use crate::clean::line;
use crate::environment::Environment;
use crate::report::say;

static PROPAGATOR: LazyLock<Propagator> = LazyLock::new(|| {
    let read = |name: &str| std::env::var_os(name);
    let environment = Environment::new(&read);
    let propagator = Propagator::resolve(&environment);
    environment.into_complaints().into_iter().for_each(say);
    propagator
});

#[derive(Clone, Debug)]
pub(crate) struct Propagator {
    formats: Vec<Format>,
    fields: Vec<String>,
}

impl Propagator {
    /// The one that the environment asks for, when it is asked for first.
    pub(crate) fn global() -> &'static Self {
        &PROPAGATOR
    }

    /// The formats that `OTEL_PROPAGATORS` names.
    pub(crate) fn resolve(environment: &Environment<'_>) -> Self {
        const NAME: &str = "OTEL_PROPAGATORS";
        let default = || Self::new(vec![Format::TraceContext, Format::Baggage]);
        let Some(text) = environment.text(NAME) else {
            return default();
        };
        let names = text.to_ascii_lowercase();
        if names == "none" {
            return Self::new(Vec::new());
        }
        let (mut formats, mut unknown) = (Vec::new(), false);
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match Format::ALL.into_iter().find(|format| format.name() == name) {
                Some(format) if formats.contains(&format) => {}
                Some(format) => formats.push(format),
                None => unknown = true,
            }
        }
        let propagator = if formats.is_empty() { default() } else { Self::new(formats.clone()) };
        if unknown || formats.is_empty() {
            let value = format!("`{}`", line(&text));
            let expected = "tracecontext, baggage, b3, b3multi or jaeger, several with commas \
                            between them, or none";
            let used: Vec<_> = propagator.formats.iter().map(|format| format.name()).collect();
            environment.complain(NAME, &value, expected, used.join(","));
        }
        propagator
    }

    /// What the formats find, over this context, and whether one of them found a trace.
    pub(super) fn extract_over(
        &self,
        context: &Context,
        extractor: &dyn Extractor,
    ) -> (Context, bool) {
        let (mut context, mut found) = (context.clone(), false);
        for format in &self.formats {
            match format.extract(&context, extractor) {
                Extracted::Trace(under) => (context, found) = (under, true),
                Extracted::Beside(with) => context = with,
                Extracted::Nothing => {}
            }
        }
        (context, found)
    }

    fn new(formats: Vec<Format>) -> Self {
        let fields = formats.iter().flat_map(|format| format.fields());
        let fields = fields.map(|name| (*name).to_owned()).collect();
        Self { formats, fields }
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        self.formats.iter().for_each(|format| format.inject(context, injector));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        self.extract_over(context, extractor).0
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use opentelemetry::trace::TraceContextExt;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "00f067aa0ba902b7";

    fn resolve(value: &str) -> (Propagator, Vec<String>) {
        let read = |name: &str| (name == "OTEL_PROPAGATORS").then(|| value.into());
        let environment = Environment::new(&read);
        let propagator = Propagator::resolve(&environment);
        (propagator, environment.into_complaints())
    }

    fn names(propagator: &Propagator) -> Vec<&'static str> {
        propagator.formats.iter().map(|format| format.name()).collect()
    }

    #[test]
    fn the_environment_names_the_formats() {
        for (value, expected) in [
            ("", &["tracecontext", "baggage"][..]),
            ("tracecontext", &["tracecontext"]),
            (" B3 , baggage,b3,,b3multi", &["b3", "baggage", "b3multi"]),
            ("jaeger", &["jaeger"]),
            ("None", &[]),
        ] {
            let (propagator, complaints) = resolve(value);
            assert_eq!((names(&propagator).as_slice(), complaints.len()), (expected, 0), "{value}");
        }
    }

    #[test]
    fn unknown_formats_are_reported() {
        for (value, used) in
            [("b3,xray", "b3"), ("xray", "tracecontext,baggage"), (",", "tracecontext,baggage")]
        {
            let (propagator, complaints) = resolve(value);
            assert_eq!(names(&propagator).join(","), used);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].ends_with(&format!("; using {used}")), "{complaints:?}");
        }
    }

    #[test]
    fn the_fields_are_those_of_the_formats() {
        let fields = |value| resolve(value).0.fields().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(fields(""), ["traceparent", "tracestate", "baggage"]);
        assert_eq!(fields("jaeger"), ["uber-trace-id"]);
        assert_eq!(fields("b3").len(), 6);
        assert_eq!(fields("none").len(), 0);
    }

    /// What is sent of these headers by a service that starts no span; and whether there was a trace.
    fn passed_on(propagators: &str, received: &[(&str, &str)]) -> (Vec<(String, String)>, bool) {
        let pairs = received.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let propagator = resolve(propagators).0;
        let received: HashMap<_, _> = pairs.collect();
        let (context, found) = propagator.extract_over(&Context::new(), &received);
        let extracted = propagator.extract(&received);
        assert_eq!(extracted.span().span_context(), context.span().span_context());
        assert_eq!(context.span().span_context().is_valid(), found);
        let mut sent = HashMap::new();
        propagator.inject_context(&context, &mut sent);
        let mut sent: Vec<_> = sent.into_iter().collect();
        sent.sort();
        (sent, found)
    }

    #[test]
    fn what_comes_in_goes_out_in_every_format() {
        let (traceparent, b3) = (format!("00-{TRACE}-{SPAN}-01"), format!("{TRACE}-{SPAN}-1"));
        let uber = format!("{TRACE}:{SPAN}:0:1");
        for (propagators, received) in [
            ("tracecontext", &[("traceparent", &*traceparent), ("tracestate", "a=1")][..]),
            ("tracecontext", &[("traceparent", &*traceparent)]),
            ("b3", &[("b3", &*b3)]),
            ("b3multi", &[("x-b3-sampled", "1"), ("x-b3-spanid", SPAN), ("x-b3-traceid", TRACE)]),
            ("jaeger", &[("uber-trace-id", &*uber)]),
            ("baggage,tracecontext", &[("baggage", "a=1"), ("traceparent", &*traceparent)]),
        ] {
            let (sent, found) = passed_on(propagators, received);
            let sent: Vec<_> = sent.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!((sent.as_slice(), found), (received, true), "{propagators}");
        }
        let baggage = [("baggage".to_owned(), "a=1".to_owned())];
        assert_eq!(
            passed_on("baggage,tracecontext", &[("baggage", "a=1")]),
            (baggage.into(), false)
        );
        assert_eq!(passed_on("none", &[("traceparent", &*traceparent)]), (Vec::new(), false));
        for (propagators, name) in [("tracecontext", "traceparent"), ("jaeger", "uber-trace-id")] {
            assert_eq!(passed_on(propagators, &[(name, "nonsense")]), (Vec::new(), false));
        }
    }

    #[test]
    fn the_last_format_that_finds_a_trace_wins() {
        let uber = format!("{OTHER}:{SPAN}:0:1");
        let received = [
            ("traceparent", &*format!("00-{TRACE}-{SPAN}-01")),
            ("uber-trace-id", &*uber),
            ("b3", "d"),
        ];
        let trace = |propagators: &str| {
            let (sent, _) = passed_on(propagators, &received);
            sent.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" ")
        };
        assert!(!trace("tracecontext,jaeger").contains(TRACE));
        assert!(!trace("jaeger,tracecontext").contains(OTHER));
        // A sampling state of B3 alone says nothing of their trace.
        assert!(trace("b3,jaeger").contains(&format!("{OTHER}-{SPAN}-1")));
        assert!(trace("jaeger,b3").contains(&format!("{OTHER}-{SPAN}-1")));
    }
}
