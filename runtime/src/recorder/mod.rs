//! How a span becomes bytes: slots for open spans, buffers of ended ones in the encoding of OTLP, and back.

mod batch;
mod changes;
mod clock;
#[cfg(test)]
mod copies_tests;
mod decode;
mod encode;
mod exceptions;
mod handle;
mod kept;
#[cfg(all(test, feature = "app"))]
mod kept_tests;
mod known_span;
mod late;
mod local;
#[cfg(test)]
mod local_tests;
#[cfg(all(test, spandrel_model))]
mod loom_tests;
mod memory;
mod message;
mod native;
#[cfg(test)]
mod native_tests;
mod outlet;
mod provider;
mod record;
#[cfg(any(test, fuzzing))]
pub(crate) mod reference_model;
#[cfg(test)]
mod reference_model_tests;
mod scope;
mod slot;
#[cfg(test)]
mod slot_tests;
#[cfg(test)]
mod test_spans;
#[cfg(test)]
pub(crate) mod tests;
mod thread;
#[cfg(test)]
mod thread_tests;

pub(crate) use batch::Batch;
pub(crate) use clock::nanos;
#[cfg(feature = "_otlp")]
pub(crate) use encode::write_scope;
pub(crate) use exceptions::Exceptions;
pub(crate) use handle::Handle;
pub(crate) use kept::{HeldTraces, KeepRules};
pub(crate) use known_span::KnownSpan;
pub(crate) use late::{late, start_over as forget_late};
pub(crate) use local::SlotRef;
pub(crate) use message::EXCEPTION;
pub(crate) use native::{Candidate, HeadSampler, NativeRecorder, NewSpan, RANDOM, SpanScope};
pub(crate) use outlet::{Outlet, Room};
pub(crate) use provider::NativeProvider;
#[cfg(any(feature = "_otlp", all(test, feature = "app")))]
pub(crate) use scope::ScopeId;
pub(crate) use slot::RecordedFailure;
pub(crate) use thread::InstrumentedCrate;
pub(crate) use thread::{
    after_fork, any_open, append, close, collect, interrupt, new_ids, new_pipeline,
    start_over_in_child, with_waiting,
};
