//! OpenTelemetry's API for spans, for other instrumentation: its spans are recorded as those of `#[span]`.

use std::sync::Arc;

use opentelemetry::trace::{SpanBuilder, SpanKind, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};

use super::clock::nanos;
use super::handle::{Handle, given};
use super::native::{NativeRecorder, NewSpan, SpanScope};
use super::scope::ScopeId;
use crate::attribute::{Attributes, redact};

/// The provider of a program whose spans this library records.
#[derive(Clone, Debug)]
pub(crate) struct NativeProvider(pub(crate) Arc<NativeRecorder>);

/// Makes the spans of one instrumentation scope.
#[derive(Clone, Debug)]
pub(crate) struct NativeTracer {
    native: Arc<NativeRecorder>,
    scope: ScopeId,
}

impl TracerProvider for NativeProvider {
    type Tracer = NativeTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> NativeTracer {
        NativeTracer { native: self.0.clone(), scope: ScopeId::of(&scope) }
    }
}

impl Tracer for NativeTracer {
    type Span = Handle;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Handle {
        self.native.build(SpanScope::Id(self.scope), builder, parent)
    }
}

impl NativeRecorder {
    /// Starts a span of other instrumentation.
    pub(crate) fn build(&self, scope: SpanScope, builder: SpanBuilder, parent: &Context) -> Handle {
        let is_suppressed = Context::is_current_telemetry_suppressed() || redact::is_redacting();
        if is_suppressed || !self.outlet.is_open() {
            return Handle::unrecorded(parent);
        }
        let SpanBuilder { span_kind, name, start_time, attributes, events, links, .. } = builder;
        let new = NewSpan {
            name: &name,
            kind: &span_kind.unwrap_or(SpanKind::Internal),
            links: &links.unwrap_or_default(),
            start: start_time.and_then(given),
            scope,
            outer: parent,
            is_foreign: true,
        };
        let mut attributes = |list: &mut Attributes| {
            for pair in attributes.iter().flatten() {
                list.push(pair.key.as_str(), (&pair.value).into());
            }
        };
        let wrap = |id, known, trace| Handle::new(id, known, trace, true);
        let (handle, _) = self.start(&new, parent, &mut attributes, wrap);
        if let Some(events) = events {
            handle.change(|slot| {
                for event in events {
                    let at = Some(nanos(event.timestamp));
                    slot.add_event(&event.name, at, &event.attributes);
                }
            });
        }
        handle
    }
}
