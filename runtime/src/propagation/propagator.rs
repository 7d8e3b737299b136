//! The propagator of `extract` and `inject`, and the global one.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::format::{Extracted, Format};
use crate::environment::Environment;
use crate::report::{line, say};

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
