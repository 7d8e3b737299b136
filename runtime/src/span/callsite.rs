//! What is known of a span at compile time, and what is decided when it starts.

use std::sync::OnceLock;

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt};

use super::enabled;
use crate::attribute::{Attributes, Location};
use crate::context::CallerDecision;
use crate::context::{self, ToContext, with_baggage};
use crate::recorder::InstrumentedCrate;

/// A place in the source where spans start: their name, their kind, and the crate it is in.
///
/// `#[span]` makes one for each function. By hand:
///
/// ```
/// use spandrel::{Callsite, Outcome, SpanKind};
///
/// static LOAD: Callsite = Callsite::new("load", SpanKind::Internal, "my-crate", Some("1.0.0"));
///
/// let weights = LOAD
///     .start(|attributes| attributes.set("file", "weights.bin"))
///     .run(|| std::fs::read("weights.bin"), Outcome::of);
/// ```
#[derive(Debug)]
pub struct Callsite {
    pub(super) name: &'static str,
    pub(super) kind: SpanKind,
    pub(super) library: InstrumentedCrate,
    pub(super) location: Option<Location>,
}

/// A span that is about to start: under the current one, unless it is said otherwise.
#[derive(Debug)]
#[must_use = "it starts with `start`"]
pub struct Start {
    pub(super) callsite: &'static Callsite,
    /// In place of the callsite's name, if the sampler has to see it.
    pub(super) name: Option<String>,
    /// The type of a closure in the function where it starts.
    pub(super) closure: &'static str,
    /// In place of the current context.
    pub(super) parent: Option<Context>,
    pub(super) root: bool,
    pub(super) links: Vec<Link>,
    pub(super) baggage: &'static [&'static str],
}

impl Callsite {
    /// A callsite in the named crate, which becomes the spans' instrumentation scope.
    pub const fn new(
        name: &'static str,
        kind: SpanKind,
        library: &'static str,
        version: Option<&'static str>,
    ) -> Self {
        let library = InstrumentedCrate { name: library, version };
        Self { name, kind, library, location: None }
    }

    /// At this place in the source: what `code` of `#[traced_app]` records.
    ///
    /// ```
    /// use spandrel::{Callsite, SpanKind};
    ///
    /// static LOAD: Callsite =
    ///     Callsite::new("load", SpanKind::Internal, "my-crate", None).at(file!(), line!());
    /// ```
    pub const fn at(self, file: &'static str, line: u32) -> Self {
        Self { location: Some(Location { file, line, encoded: None }), ..self }
    }

    /// With a place where the attributes of its location are kept.
    #[doc(hidden)]
    pub const fn kept_in(mut self, encoded: &'static OnceLock<Box<[u8]>>) -> Self {
        if let Some(location) = &mut self.location {
            location.encoded = Some(encoded);
        }
        self
    }

    /// The next span of this callsite.
    #[inline]
    pub const fn builder(&'static self) -> Start {
        Start {
            callsite: self,
            name: None,
            closure: "",
            parent: None,
            root: false,
            links: Vec::new(),
            baggage: &[],
        }
    }
}

impl Start {
    /// Under this context, which also becomes current while it runs.
    pub fn under(self, parent: impl ToContext) -> Self {
        Self { parent: Some(context::entered(parent.to_context())), ..self }
    }

    /// In a trace of its own, linked to the span it would have been under.
    pub fn root(self) -> Self {
        Self { root: true, ..self }
    }

    /// Linked to these, but not to a context that [`extract`](crate::extract) has read from a carrier
    /// without a trace. The iterator runs only where something records.
    pub fn links(mut self, spans: impl IntoIterator<Item: ToContext>) -> Self {
        if enabled::is_enabled() {
            for span in spans {
                self.link(&span.to_span_context());
            }
        }
        self
    }

    /// With these entries in the baggage, from here on to whatever it calls: beside those of the
    /// context, or in their place. They are text, and go wherever [`inject`](crate::inject) sends
    /// them.
    pub fn set_baggage(self, entries: impl FnOnce(&mut Attributes)) -> Self {
        let parent = self.parent.unwrap_or_else(context::current);
        Self { parent: Some(with_baggage(parent, entries)), ..self }
    }

    /// Records entries of the context's baggage as attributes of the same names, those that are in
    /// it.
    pub fn record_baggage(self, keys: &'static [&'static str]) -> Self {
        Self { baggage: keys, ..self }
    }

    /// The context that a root starts under, in this one.
    pub(super) fn root_context(&mut self, outer: &Context) -> Context {
        self.link(outer.span().span_context());
        // A trace of its own: what a caller has decided about another one does not hold for it.
        let context = CallerDecision::InFlags.put_into(outer);
        context.with_remote_span_context(SpanContext::NONE)
    }

    fn link(&mut self, span: &SpanContext) {
        if span.is_valid() {
            self.links.push(Link::with_context(span.clone()));
        }
    }
}
