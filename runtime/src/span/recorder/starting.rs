//! How a recorder starts a span.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanBuilder, TraceContextExt};

use super::installed::CurrentRecorder;
use super::tracer::Provider;
use crate::attribute::Attributes;
use crate::recorder::{Handle, KnownSpan, NativeRecorder, NewSpan, SlotRef, SpanScope};
use crate::span::callsite::Start;
use crate::span::panic::{Payload, caught};
use crate::span::sdk_span;
use crate::span::seen_failures::SeenFailures;

/// What becomes of a span that starts.
pub(in crate::span) trait Started {
    /// This is its context, and its slot if it is recorded in one.
    fn started(&mut self, context: Context, slot: Option<SlotRef>);

    /// A provider records it, and this is its context. `outer` is what the span that it was started in remembers, if that
    /// is a provider's too.
    fn started_by_provider(&mut self, context: Context, outer: Option<SeenFailures>);
}

impl CurrentRecorder {
    /// Starts this span under this parent, in the context `outer`. Returns the panic of its attributes.
    pub(in crate::span) fn start(
        &self,
        start: Start,
        parent: &Context,
        outer: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
        span: &mut impl Started,
    ) -> Option<Payload> {
        let Start { callsite, closure, baggage, .. } = start;
        let location = callsite.location.as_ref().filter(|_| self.recorder().options.code);
        let mut attributes = |list: &mut Attributes| {
            if let Some(location) = location {
                list.push_location(location, closure);
            }
            record_baggage(parent, baggage, list);
            attributes(list);
        };
        match &self.recorder().provider {
            Provider::Native(native) => {
                start_native(native, start, parent, outer, &mut attributes, span)
            }
            Provider::Ours { .. } | Provider::Global { .. } => {
                self.start_by_provider(start, parent, outer, &mut attributes, span)
            }
        }
    }

    /// Starts a span of OpenTelemetry's API.
    fn start_by_provider(
        &self,
        start: Start,
        parent: &Context,
        outer: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
        span: &mut impl Started,
    ) -> Option<Payload> {
        let Start { callsite, links, .. } = start;
        let outer = SeenFailures::of(outer).cloned();
        let known_name = start.name.map_or(Cow::Borrowed(callsite.name), Cow::Owned);
        let mut builder = SpanBuilder::from_name(known_name).with_kind(callsite.kind.clone());
        if !links.is_empty() {
            builder = builder.with_links(links);
        }
        let (has_error_type, name) = (Cell::new(false), Cell::new(None));
        let mut list = || {
            let mut list = Attributes::default();
            attributes(&mut list);
            name.set(list.name());
            let list = list.into_vec();
            has_error_type.set(sdk_span::contain_error_type(&list));
            list
        };
        let tracer = || self.tracer(callsite.library);
        let parent_span = parent.span();
        let (context, records) = if self.recorder().is_sure_of(parent_span.span_context())
            && !parent.is_telemetry_suppressed()
        {
            // The span starts before its attributes are evaluated, as on the other path.
            builder.start_time = Some(SystemTime::now());
            let evaluated = caught(&mut list).map(|list| builder.attributes = Some(list));
            let (context, records) = tracer().start(builder, parent, None, &has_error_type);
            (context, evaluated.and(records))
        } else {
            tracer().start(builder, parent, Some(&mut list), &has_error_type)
        };
        if let Some(name) = name.take() {
            context.span().update_name(name);
        }
        match records {
            Ok(false) => span.started(context, None),
            Ok(true) | Err(_) => span.started_by_provider(context, outer),
        }
        records.err()
    }
}

/// Starts a span in a slot.
#[inline]
fn start_native(
    native: &NativeRecorder,
    start: Start,
    parent: &Context,
    outer: &Context,
    attributes: &mut dyn FnMut(&mut Attributes),
    span: &mut impl Started,
) -> Option<Payload> {
    let Start { callsite, links, .. } = start;
    let new = NewSpan {
        name: start.name.as_deref().unwrap_or(callsite.name),
        kind: &callsite.kind,
        links: &links,
        start: None,
        scope: SpanScope::Of(callsite.library),
        outer,
        is_foreign: false,
    };
    let enter = |id, known: Option<KnownSpan>, trace| match known {
        Some(KnownSpan { slot, .. }) => {
            span.started(parent.with_span(Handle::new(id, known, trace, false)), Some(slot));
        }
        None => span.started(parent.with_remote_span_context(id), None),
    };
    let ((), panic) = native.start(&new, parent, attributes, enter);
    panic
}

/// Records entries of the context's baggage as attributes.
fn record_baggage(context: &Context, keys: &[&'static str], list: &mut Attributes) {
    for key in keys {
        if let Some(value) = context.baggage().get(key) {
            list.set(key, value.as_str());
        }
    }
}
