//! Spans that start in slots of this library's own.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, Key};

use super::clock::Anchor;
use super::handle::{Handle, Known};
use super::limits::Limits;
use super::local::Destination;
use super::message::Head;
use super::outlet::Outlet;
use super::scope::ScopeId;
use super::slot::Origin;
use super::thread::{Library, Thread};
use crate::attribute::Attributes;

/// The flag of W3C Trace Context, level 2, that says that a trace's id is random.
const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// Whether a trace is sampled, and the state that says so.
pub(crate) struct Decision {
    pub(crate) is_sampled: bool,
    pub(crate) trace_state: TraceState,
}

/// Decides about a span that is about to start in this context, under this span.
pub(crate) trait HeadSampler: Debug + Send + Sync {
    fn decide(&self, context: &Context, parent: &SpanContext, trace: TraceId) -> Decision;
}

/// A recorder: where its spans go, and what they may be.
#[derive(Debug)]
pub(crate) struct Native {
    /// The number of its pipeline; `None` where spans go straight to the outlet.
    pub(crate) pipeline: Option<usize>,
    pub(crate) outlet: Arc<dyn Outlet>,
    /// `None`: all spans are sampled.
    pub(crate) sampler: Option<Box<dyn HeadSampler>>,
    pub(crate) limits: Limits,
    /// The entries of the context's baggage that are recorded on each span.
    pub(crate) baggage: Vec<Key>,
}

/// A span that is about to start.
pub(crate) struct New<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
    pub(crate) links: &'a [Link],
    /// When it started, in nanoseconds since 1970, if not now.
    pub(crate) start: Option<u64>,
    /// The span that it is started in.
    pub(crate) outer: Option<Known>,
    /// Whether other instrumentation starts it.
    pub(crate) is_foreign: bool,
}

/// Whose span it is.
pub(crate) enum Scope {
    Known(ScopeId),
    Of(Library),
}

impl Scope {
    #[inline]
    fn id(&self, thread: &mut Thread) -> ScopeId {
        match self {
            Self::Known(id) => *id,
            Self::Of(library) => thread.scope(*library),
        }
    }
}

/// A span that has started.
pub(crate) struct Started {
    pub(crate) context: SpanContext,
    /// `None`: it does not record.
    pub(crate) known: Option<Known>,
    /// The panic of the function that said its attributes.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

impl Started {
    fn unrecorded(context: SpanContext) -> Self {
        Self { context, known: None, panic: None }
    }

    /// The context with the span in it.
    pub(crate) fn enter(&self, parent: &Context) -> Context {
        match self.known {
            Some(known) => parent.with_span(Handle::new(self.context.clone(), Some(known), false)),
            None => parent.with_remote_span_context(self.context.clone()),
        }
    }

    /// The span as OpenTelemetry's API knows it: it ends when it is dropped.
    pub(crate) fn into_handle(self) -> Handle {
        Handle::new(self.context, self.known, true)
    }
}

impl Native {
    /// Starts a span in this context. `attributes` is called once, if the span records.
    pub(crate) fn start(
        &self,
        new: &New<'_>,
        scope: &Scope,
        context: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> Started {
        let parent = context.span();
        let parent = parent.span_context();
        let prepared = Thread::with(|thread| {
            let is_root = !parent.is_valid();
            let trace = if is_root { thread.new_trace_id() } else { parent.trace_id() };
            (trace, thread.new_span_id(), scope.id(thread), thread.local, thread.take_memory())
        });
        let Some((trace, span, scope, local, memory)) = prepared else {
            return Started::unrecorded(parent.clone());
        };
        if context.is_telemetry_suppressed() {
            return Started::unrecorded(SpanContext::NONE);
        }
        let (is_sampled, id) = self.decide(context, parent, trace, span);
        if !is_sampled {
            return Started::unrecorded(id);
        }
        let is_nested = |known: &Known| known.id == parent.span_id();
        let (anchor, now) = match new.outer.filter(is_nested) {
            Some(Known { anchor, .. }) => (anchor, anchor.now()),
            None => Anchor::start(),
        };
        // Before the attributes, whose functions may start spans of their own.
        self.outlet.expect(&id);
        let mut list = Attributes::within(self.limits, memory);
        self.record_baggage(context, &mut list);
        let panic = catch_unwind(AssertUnwindSafe(|| attributes(&mut list))).err();
        let head = Head {
            scope,
            context: &id,
            parent: parent.span_id(),
            parent_is_remote: parent.is_remote(),
            name: new.name,
            kind: new.kind,
            start: new.start.unwrap_or(now),
        };
        let origin = Origin {
            limits: self.limits,
            anchor,
            destination: match self.pipeline {
                Some(number) => Destination::Pipeline(number),
                None => Destination::Direct(self.outlet.clone()),
            },
            outer: new.outer.map(|outer| outer.place),
            is_foreign: new.is_foreign,
        };
        let (encoded, keys) = list.encoded();
        let pipeline = self.pipeline.map(|number| (number, &self.outlet));
        let place = local.open(pipeline, |slot| {
            slot.start(origin, &head, &encoded, keys);
            for link in new.links {
                slot.add_link(&link.span_context, &link.attributes);
            }
        });
        let known = Known { id: span, place, anchor };
        Thread::with(|thread| thread.remember(known, new.outer, encoded));
        Started { context: id, known: Some(known), panic }
    }

    /// Whether the span is sampled, and what names it.
    #[inline]
    fn decide(
        &self,
        context: &Context,
        parent: &SpanContext,
        trace: TraceId,
        span: SpanId,
    ) -> (bool, SpanContext) {
        let Decision { is_sampled, trace_state } = match &self.sampler {
            Some(sampler) => sampler.decide(context, parent, trace),
            None => Decision { is_sampled: true, trace_state: parent.trace_state().clone() },
        };
        let is_random = !parent.is_valid() || parent.trace_flags() & RANDOM == RANDOM;
        let flags = if is_random { RANDOM } else { TraceFlags::NOT_SAMPLED };
        let flags = flags.with_sampled(is_sampled);
        (is_sampled, SpanContext::new(trace, span, flags, false, trace_state))
    }

    #[inline]
    fn record_baggage(&self, context: &Context, list: &mut Attributes) {
        for key in &self.baggage {
            if let Some(value) = context.baggage().get(key) {
                list.push(key.as_str(), super::value::ValueRef::Text(value.as_str()));
            }
        }
    }
}
