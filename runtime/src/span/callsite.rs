//! What is known of a span at compile time.

use opentelemetry::Context;
use opentelemetry::trace::SpanKind;

use super::Span;
use crate::attribute::Attributes;

/// A place in the source where spans start: their name, their kind, and the crate it is in.
///
/// `#[span]` makes one for each function. By hand:
///
/// ```
/// use spandrel::{Callsite, SpanKind};
///
/// static LOAD: Callsite = Callsite::new("load", SpanKind::Internal, "my-crate", Some("1.0.0"));
///
/// let weights = LOAD
///     .start(|attributes| attributes.set("file", "weights.bin"))
///     .run(|| std::fs::read("weights.bin"), |_| None);
/// ```
#[derive(Debug)]
pub struct Callsite {
    pub(super) name: &'static str,
    pub(super) kind: SpanKind,
    pub(super) library: Library,
}

/// The crate whose spans these are: OpenTelemetry's instrumentation scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Library {
    pub(super) name: &'static str,
    pub(super) version: Option<&'static str>,
}

/// A callsite, and the context its next span starts under in place of the current one.
#[derive(Debug)]
pub struct Under {
    callsite: &'static Callsite,
    parent: Context,
}

impl Callsite {
    /// A callsite in the named crate, which becomes the spans' instrumentation scope.
    pub const fn new(
        name: &'static str,
        kind: SpanKind,
        library: &'static str,
        version: Option<&'static str>,
    ) -> Self {
        Self { name, kind, library: Library { name: library, version } }
    }

    /// Starts a span under the current one. `attributes` is called once, and only if the span
    /// records.
    pub fn start(&'static self, attributes: impl FnOnce(&mut Attributes)) -> Span {
        Span::start(self, attributes)
    }

    /// The next span starts under this context, which also becomes current while it runs.
    pub fn under(&'static self, parent: Context) -> Under {
        Under { callsite: self, parent }
    }
}

impl Under {
    /// Starts a span, as [`Callsite::start`] does.
    pub fn start(self, attributes: impl FnOnce(&mut Attributes)) -> Span {
        Span::start_under(self.callsite, self.parent, attributes)
    }
}
