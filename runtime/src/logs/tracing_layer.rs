//! Spans that libraries make with `tracing`, in our traces.

use opentelemetry::trace::{SpanId, TraceContextExt};
use tracing::span::Id;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter};
use tracing_subscriber::layer::{self, Filter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::context;
use crate::span::{TracingTracer, enabled};

/// Spans from `info` on, and what else is wanted, where something records them.
pub(super) fn layer<S>(wanted: EnvFilter) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(TracingTracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .and_then(Entering)
        .with_filter(wanted.or(LevelFilter::INFO).and(Recorded))
}

/// What a span of `tracing` became when it was first entered.
struct Entered {
    span: SpanId,
}

/// Comes after the layer that makes the span current.
struct Entering;

impl<S> Layer<S> for Entering
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_enter(&self, id: &Id, registry: layer::Context<'_, S>) {
        let Some(span) = registry.span(id) else { return };
        if span.extensions().get::<Entered>().is_some() {
            return;
        }
        let entered = Entered { span: context::current().span().span_context().span_id() };
        span.extensions_mut().insert(entered);
    }
}

/// What may become a span, and which events say that one failed.
struct Recorded;

impl<S> Filter<S> for Recorded
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: &layer::Context<'_, S>) -> bool {
        // OpenTelemetry itself may say something while it changes what is current.
        if metadata.target().starts_with("opentelemetry") {
            return false;
        }
        if metadata.is_span() {
            enabled::is_enabled() && !context::current().is_telemetry_suppressed()
        } else {
            *metadata.level() == Level::ERROR
        }
    }

    /// An error is for the span that is current. In a span of ours, the outcome decides.
    fn event_enabled(&self, event: &Event<'_>, registry: &layer::Context<'_, S>) -> bool {
        let Some(span) = registry.event_span(event) else { return false };
        let entered = span.extensions().get::<Entered>().map(|entered| entered.span);
        !event.is_contextual()
            || entered == Some(context::current().span().span_context().span_id())
    }
}
