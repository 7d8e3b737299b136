//! Spans: where they start, how long they are current, and how they end.

mod active_span;
pub(crate) mod adopt;
mod block;
mod body_frame;
mod callsite;
mod carry;
mod current;
mod device;
mod device_waiter;
pub(crate) mod enabled;
mod ending;
mod entry;
mod exception;
mod future;
mod guard;
pub(crate) mod links;
mod panic;
mod pending_span;
mod recorder;
pub(crate) mod returned;
mod sdk_span;
mod seen_failures;
mod stream;
mod target;
#[cfg(feature = "logs")]
mod tracing_spans;

pub use active_span::ActiveSpan;
pub use body_frame::{end_exited_blocks, enter_frame, observe_exit};
pub use callsite::{Callsite, Start};
pub use carry::{InCurrentTrace, carry};
pub use current::{CurrentSpan, current, current_trace_id};
pub use enabled::is_enabled;
pub use entry::{EntryGuard, call_body, end_body, run_body};
pub use future::{SpanFuture, in_span, started};
pub use guard::SpanGuard;
pub use stream::SpanStream;

#[cfg(feature = "app")]
pub(crate) use exception::record_panic_here;
pub(crate) use recorder::{ActiveRecorder, Recorder, await_devices};
#[cfg(feature = "app")]
pub(crate) use recorder::{
    Installation, KnownRecorded, Pruning, RecorderOptions, SamplingHints, end_device_spans,
};
#[cfg(feature = "logs")]
pub(crate) use tracing_spans::TracingTracer;
