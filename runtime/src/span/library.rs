//! Spans that libraries make with `tracing`, recorded where ours are.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use super::callsite::Library;
use super::open::{self, Open};
use super::recorder::Recorder;

/// Starts spans in the recorder of their context: the one that is installed then, not the one that
/// was there when the subscriber was made.
pub(crate) struct LibraryTracer;

impl Tracer for LibraryTracer {
    type Span = Span;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Span {
        let recorder = Recorder::of(parent);
        match recorder.and_then(|recorder| recorder.build(LIBRARY, builder.clone(), parent)) {
            Some(span) => span,
            None => NOWHERE.build_with_context(builder, &parent.with_telemetry_suppressed()),
        }
    }
}

/// Which version of `tracing` there is, nobody tells: the scope is this bridge.
const LIBRARY: Library =
    Library { name: env!("CARGO_PKG_NAME"), version: Some(env!("CARGO_PKG_VERSION")) };

static NOWHERE: LazyLock<SdkTracer> =
    LazyLock::new(|| SdkTracerProvider::builder().build().tracer(LIBRARY.name));

/// The entry of this context's span among those to end at shutdown, if it is exported.
pub(crate) fn keep_open(context: Context) -> Option<Open> {
    let installed = Recorder::of(&context).is_some_and(|recorder| recorder.is_installed());
    (installed && context.span().is_recording()).then(|| open::add(context))
}
