//! Spans that start in slots of this library's own.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, SpanRef, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, Key};

use super::clock::Anchor;
use super::exceptions::Exceptions;
use super::kept::{HeldTraces, LocalTrace};
use super::known_span::KnownSpan;
use super::local::SpanRoute;
use super::memory;
use super::message::{self, Head};
use super::outlet::Outlet;
use super::record::HEAD;
use super::scope::ScopeId;
use super::slot::OpenSpan;
use super::thread::{DecidedTrace, InstrumentedCrate, Thread};
use crate::attribute::{Attributes, redact};
use crate::encoding::{Limits, ValueRef};

/// The flag of W3C Trace Context, level 2, that says that a trace's id is random.
pub(crate) const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// A span that is about to start, as far as a sampler sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) context: &'a Context,
    /// The span that it is under.
    pub(crate) parent: &'a SpanContext,
    pub(crate) trace: TraceId,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
}

/// Decides about a span that is about to start.
pub(crate) trait HeadSampler: Debug + Send + Sync {
    /// Whether the span is sampled. Changes the trace's state if it is to say something else than that of the span above.
    // Two results, because copying them as one costs as much as the decision.
    fn decide(&self, span: &Candidate<'_>, state: &mut Option<TraceState>) -> bool;
}

/// What names a span under this parent.
#[inline]
fn id_of_span(
    parent: &SpanContext,
    (trace, span): (TraceId, SpanId),
    is_sampled: bool,
    state: Option<TraceState>,
) -> SpanContext {
    let is_random = !parent.is_valid() || parent.trace_flags() & RANDOM == RANDOM;
    let flags = if is_random { RANDOM } else { TraceFlags::NOT_SAMPLED };
    let state = state.unwrap_or_else(|| parent.trace_state().clone());
    SpanContext::new(trace, span, flags.with_sampled(is_sampled), false, state)
}

/// A recorder: where its spans go, and what they may be.
#[derive(Debug)]
pub(crate) struct NativeRecorder {
    /// The number of its pipeline; `None` where spans go straight to the outlet.
    pub(crate) pipeline: Option<usize>,
    pub(crate) outlet: Arc<dyn Outlet>,
    /// `None`: all spans are sampled.
    pub(crate) sampler: Option<Arc<dyn HeadSampler>>,
    /// Which traces are kept that are not sampled, if any.
    pub(crate) held_traces: Option<Arc<HeldTraces>>,
    pub(crate) limits: Limits,
    /// Where the exceptions of its spans go.
    pub(crate) exceptions: Exceptions,
    /// The entries of the context's baggage that are recorded on each span.
    pub(crate) baggage: Vec<Key>,
}

/// The local trace of a span that starts under this one, if its spans are held; and whether it starts with the span.
fn local_trace(
    held_traces: &Arc<HeldTraces>,
    known: Option<KnownSpan>,
    parent: &SpanRef<'_>,
    is_sampled: bool,
) -> (Option<Arc<LocalTrace>>, bool) {
    if let Some(trace) = known.and_then(|known| known.slot.with(|span| span.trace.clone())) {
        return (trace, false);
    }
    // The parent may have ended.
    let id = parent.span_context();
    let trace = if id.is_valid() && !id.is_remote() { KnownSpan::trace(parent) } else { None };
    match trace {
        Some(trace) if trace.is_of_this_process() => (Some(trace), false),
        _ => (held_traces.of_this_process().start(is_sampled), true),
    }
}

type Payload = Box<dyn Any + Send>;

/// A span that is about to start.
pub(crate) struct NewSpan<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
    pub(crate) links: &'a [Link],
    /// When it started, in nanoseconds since 1970, if not now.
    pub(crate) start: Option<u64>,
    /// Whose span it is.
    pub(crate) scope: SpanScope,
    /// The context that it is started in.
    pub(crate) outer: &'a Context,
    /// Whether other instrumentation starts it.
    pub(crate) is_foreign: bool,
}

/// Whose span it is.
#[derive(Clone, Copy)]
pub(crate) enum SpanScope {
    Id(ScopeId),
    Of(InstrumentedCrate),
}

impl SpanScope {
    #[inline]
    fn id(self, thread: &mut Thread) -> ScopeId {
        match self {
            Self::Id(id) => id,
            Self::Of(library) => thread.scope(library),
        }
    }
}

impl NativeRecorder {
    /// Starts a span in this context. `attributes` is called once, if the span records. `wrap` makes something of the
    /// span, which is returned with the panic of `attributes`.
    // Long, because a step that were a function of its own would copy what it prepares: that costs a tenth of a span.
    #[inline]
    pub(crate) fn start<S>(
        &self,
        new: &NewSpan<'_>,
        context: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
        wrap: impl FnOnce(SpanContext, Option<KnownSpan>, Option<Arc<LocalTrace>>) -> S,
    ) -> (S, Option<Payload>) {
        let parent_span = context.span();
        let parent = parent_span.span_context();
        let parent = if parent.is_valid() { parent } else { &SpanContext::NONE };
        let outer_span = new.outer.span();
        let outer_id = outer_span.span_context();
        if context.is_telemetry_suppressed() {
            return (wrap(SpanContext::NONE, None, None), None);
        }
        let (mut state, mut is_decided) = (None, false);
        let prepared = Thread::with(|thread| {
            let trace = if parent.is_valid() {
                parent.trace_id()
            } else if let Some(decided) = thread.decided.take() {
                (state, is_decided) = (decided.state, true);
                decided.id
            } else {
                thread.new_trace_id()
            };
            let scope = new.scope.id(thread);
            let outer = thread.remembered(outer_id.span_id()).filter(|_| !outer_id.is_remote());
            (trace, thread.new_span_id(), scope, outer, thread.local)
        });
        let Some((trace, span, scope, outer, local)) = prepared else {
            return (wrap(parent.clone(), None, None), None);
        };
        let is_sampled = match &self.sampler {
            Some(sampler) if !is_decided => {
                let (name, kind) = (new.name, new.kind);
                sampler.decide(&Candidate { context, parent, trace, name, kind }, &mut state)
            }
            _ => true,
        };
        let id = id_of_span(parent, (trace, span), is_sampled, state);
        if !is_sampled && self.held_traces.is_none() {
            return (wrap(id, None, None), None);
        }
        let outer = outer.or_else(|| KnownSpan::asked(&outer_span));
        let nested = outer.filter(|known| known.id == parent.span_id());
        let (anchor, now) = match &nested {
            Some(known) => (known.anchor, known.anchor.now()),
            None => Anchor::start(),
        };
        let (trace, is_first) = match &self.held_traces {
            Some(held_traces) => local_trace(held_traces, nested, &parent_span, is_sampled),
            None => (None, false),
        };
        // Before the attributes, whose functions may start spans of their own.
        match &trace {
            None => self.outlet.expect(&id),
            Some(trace) => trace.open(),
        }
        let started = new.start.unwrap_or(now);
        let head = Head {
            scope,
            context: &id,
            parent: parent.span_id(),
            parent_is_remote: parent.is_remote(),
            name: new.name,
            kind: new.kind,
            start: started,
        };
        let mut list =
            Attributes::of_record(message::begin(memory::take(), &head), HEAD, self.limits);
        let panic = catch_unwind(AssertUnwindSafe(|| attributes(&mut list))).err();
        self.record_baggage(context, &mut list);
        let (record, keys) = list.into_record();
        let pipeline = self.pipeline.map(|number| (number, &self.outlet));
        let links = redact::links(new.links);
        let slot = local.open(pipeline, |slot| {
            memory::give_back(slot.start(started, record, keys, &self.limits, anchor));
            self.describe(slot, new, outer.as_ref());
            for link in &*links {
                slot.add_link(&link.span_context, &link.attributes);
            }
            (slot.trace, slot.is_first) = (trace.clone(), is_first);
        });
        let known = KnownSpan { id: span, slot, anchor };
        Thread::with(|thread| thread.remember(&known, outer.as_ref()));
        (wrap(id, Some(known), trace), panic)
    }

    /// Writes into a slot what is known of the span but for its record.
    #[inline]
    fn describe(&self, slot: &mut OpenSpan, new: &NewSpan<'_>, outer: Option<&KnownSpan>) {
        slot.route = match self.pipeline {
            Some(number) => SpanRoute::Pipeline(number),
            None => SpanRoute::Direct(self.outlet.clone()),
        };
        slot.outer = outer.map(|outer| outer.slot);
        slot.is_foreign = new.is_foreign;
        slot.exceptions = self.exceptions;
    }

    /// What this makes of the id of a span that starts a trace in this context, if the trace is not sampled. If it is,
    /// the next trace that this thread starts is the one that was decided about.
    #[inline]
    pub(crate) fn unsampled_root<S>(
        &self,
        context: &Context,
        (name, kind): (&str, &SpanKind),
        wrap: impl FnOnce(SpanContext) -> S,
    ) -> Option<S> {
        let sampler = self.sampler.as_ref()?;
        let (parent, mut state) = (&SpanContext::NONE, None);
        let ids = Thread::if_started(|thread| {
            let trace = thread.new_trace_id();
            if sampler.decide(&Candidate { context, parent, trace, name, kind }, &mut state) {
                thread.decided = Some(DecidedTrace { id: trace, state: state.take() });
                return None;
            }
            Some((trace, thread.new_span_id()))
        });
        Some(wrap(id_of_span(parent, ids??, false, state)))
    }

    #[inline]
    fn record_baggage(&self, context: &Context, list: &mut Attributes) {
        for key in &self.baggage {
            if let Some(value) = context.baggage().get(key) {
                list.push_unless_set(key.as_str(), ValueRef::Text(value.as_str()));
            }
        }
    }
}
