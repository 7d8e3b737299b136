//! Spans: where they start, how long they are current, and how they end.

pub(crate) mod active;
pub(crate) mod adopt;
mod awaited;
mod block;
mod callsite;
mod carry;
mod current;
mod device;
mod ending;
mod entry;
mod exception;
mod future;
mod guard;
#[cfg(feature = "logs")]
mod library;
pub(crate) mod links;
mod panic;
mod reaper;
mod recorded;
mod recorder;
mod scope;
mod seen;
pub(crate) mod shape;
mod stream;
mod target;

pub use active::any as asks;
pub use block::{enter_frame, note, settle};
pub use callsite::{Callsite, Start};
pub use carry::{InCurrentTrace, carry};
pub use current::{CurrentSpan, current, current_trace_id};
pub use entry::{EntryGuard, call_body, end_body, run_body};
pub use future::{SpanFuture, in_span, started};
pub use guard::SpanGuard;
pub use scope::Span;
pub use stream::SpanStream;

#[cfg(feature = "app")]
pub(crate) use exception::record_panic_here;
#[cfg(feature = "logs")]
pub(crate) use library::LibraryTracer;
pub(crate) use recorder::{Counted, Recorder, await_devices};
#[cfg(feature = "app")]
pub(crate) use recorder::{Installation, Pruning, Records, end_device_spans};
