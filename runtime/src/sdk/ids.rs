//! The SDK's spans have ids of the same kind as ours.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

use crate::recorder;

#[derive(Debug)]
pub(crate) struct SdkIdGenerator;

impl IdGenerator for SdkIdGenerator {
    fn new_trace_id(&self) -> TraceId {
        recorder::new_ids().0
    }

    fn new_span_id(&self) -> SpanId {
        recorder::new_ids().1
    }
}
