//! Programs that set OpenTelemetry up themselves.

#[cfg(not(feature = "app"))]
use crate::flushed::Flushed;
use crate::span::Recorder;

/// Makes annotated functions, of the program and of its libraries, report to OpenTelemetry's global
/// tracer provider. For a program that sets its own SDK up, once after it has: it also flushes, after
/// a [`flush`](crate::flush) of ours where spans wait for a [`Device`](crate::Device).
///
/// Called again after the global provider was replaced, it adopts the new one. Where
/// `#[traced_app]` or `install` has set telemetry up, it changes nothing.
///
/// ```
/// use opentelemetry::global;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder().build();
/// global::set_tracer_provider(provider.clone());
/// spandrel::adopt_global_provider();
/// // …
/// # let _ =
/// provider.shutdown();
/// ```
pub fn adopt_global_provider() {
    Recorder::adopt();
}

/// Blocks the thread until all spans that wait for a device ([`Device`](crate::Device)) have ended, or until half of
/// this time has passed. If the program has a provider of its own, flush that provider afterwards.
#[cfg(not(feature = "app"))]
pub fn flush(timeout: std::time::Duration) -> Flushed {
    Flushed { lost: 0, timed_out: !crate::span::await_devices(timeout / 2) }
}

/// Whether a global provider was set: without one, tracers hand the parent back as it is.
#[cfg(feature = "app")]
pub(crate) fn global_provider_is_set() -> bool {
    use opentelemetry::trace::{
        Span, SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
        Tracer,
    };
    use opentelemetry::{Context, global};

    let (trace, span) = (TraceId::from(1), SpanId::from(1));
    let parent = SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
    // Nothing is recorded in a context that is suppressed.
    let context = Context::new().with_remote_span_context(parent).with_telemetry_suppressed();
    let tracer = global::tracer(env!("CARGO_PKG_NAME"));
    let probe = tracer.build_with_context(SpanBuilder::from_name("probe"), &context);
    probe.span_context().span_id() != span
}
