//! How a span starts.

use std::any::type_name;
use std::thread::panicking;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::ActiveSpan;
use crate::attribute::{Attributes, redact};
use crate::context;
use crate::span::callsite::{Callsite, Start};
use crate::span::enabled;
use crate::span::recorder::{CurrentRecorder, Forecast, Recorder};

impl Callsite {
    /// Starts a span under the current one. `attributes` is called once, and only if the span
    /// records.
    #[inline]
    pub fn start<F: FnOnce(&mut Attributes)>(&'static self, attributes: F) -> ActiveSpan {
        let mut attributes = Some(attributes);
        ActiveSpan::begin_here(self, type_name::<F>(), &mut |list| {
            if let Some(attributes) = attributes.take() {
                attributes(list);
            }
        })
    }
}

impl Start {
    /// As [`Callsite::start`].
    pub fn start<F: FnOnce(&mut Attributes)>(self, attributes: F) -> ActiveSpan {
        if !enabled::is_enabled() {
            return self.parent.map_or(ActiveSpan::DISABLED, ActiveSpan::continued);
        }
        let mut attributes = Some(attributes);
        let closure = if self.closure.is_empty() { type_name::<F>() } else { self.closure };
        ActiveSpan::begin(Self { closure, ..self }, &mut |list| {
            if let Some(attributes) = attributes.take() {
                attributes(list);
            }
        })
    }
}

impl Start {
    /// As [`start`](Self::start), with a name that is computed: if the span records, or if a sampling rule has to see the
    /// name. A blank name changes nothing.
    pub fn start_named<N: AsRef<str>, F: FnOnce(&mut Attributes)>(
        mut self,
        name: impl FnOnce() -> N,
        attributes: F,
    ) -> ActiveSpan {
        self.closure = type_name::<F>();
        if enabled::is_enabled() && self.is_sampled_by_name() {
            let name = name();
            self.name = Some(name.as_ref().to_owned()).filter(|name| !name.trim().is_empty());
            return self.start(attributes);
        }
        self.start(|list| {
            list.rename(name());
            attributes(list);
        })
    }

    fn is_sampled_by_name(&self) -> bool {
        let sampled_by_name =
            |context: &Context| Recorder::samples_by_name(context.span().span_context());
        match &self.parent {
            _ if self.root => Recorder::samples_by_name(&SpanContext::NONE),
            Some(parent) => sampled_by_name(parent),
            None => context::is_alive() && Context::map_current(sampled_by_name),
        }
    }
}

impl ActiveSpan {
    /// A span that starts now under the current one, or what stands for it when nothing records it.
    #[inline(never)]
    fn begin_here(
        callsite: &'static Callsite,
        closure: &'static str,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> Self {
        if !enabled::is_enabled() {
            return Self::DISABLED;
        }
        let context = match Recorder::forecast() {
            Forecast::Unsampled => return Self::DISABLED,
            Forecast::Root => Recorder::unsampled_root(callsite.name, &callsite.kind),
            Forecast::Open => None,
        };
        match context {
            Some(context) => Self::continued(context),
            None => Self::begin(Start { closure, ..callsite.builder() }, attributes),
        }
    }

    /// A span that starts now, or what stands for it when nothing records it.
    fn begin(mut start: Start, attributes: &mut dyn FnMut(&mut Attributes)) -> Self {
        if !context::is_alive() || redact::is_redacting() {
            return Self::DISABLED;
        }
        let outer = match &start.parent {
            Some(context) => context.clone(),
            None => Context::current(),
        };
        let root = start.root.then(|| start.root_context(&outer));
        let parent = root.as_ref().unwrap_or(&outer);
        let recorder = if Recorder::prunes_under(parent.span().span_context()) {
            None
        } else {
            Recorder::of(parent)
        };
        match recorder {
            Some(recorder) => Self::record(&recorder, start, parent, &outer, attributes),
            None => start.parent.map_or(Self::DISABLED, Self::continued),
        }
    }

    // Not inlined, and returns in one place: so the span is made where it stays.
    #[inline(never)]
    fn record(
        recorder: &CurrentRecorder,
        start: Start,
        parent: &Context,
        outer: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> Self {
        let mut span = Self::DISABLED;
        span.was_panicking = panicking();
        span.is_under_current = start.parent.is_none() && !start.root;
        if let Some(payload) = recorder.start(start, parent, outer, attributes, &mut span) {
            span.end_by_panic(None, payload);
        }
        if let Some(slot) = span.slot
            && recorder.is_uninstalled()
        {
            slot.interrupt();
        }
        span
    }
}
