//! Spans for tests of slots and buffers.

use std::sync::Arc;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

use super::clock::Anchor;
use super::local::{Local, SlotRef, SpanRoute};
use super::message::{Head, begin};
use super::outlet::Outlet;
use super::scope::ScopeId;
use crate::encoding::{Keys, Limits};

/// Opens a span in a slot of this thread, for a pipeline.
pub(super) fn open(
    local: &'static Local,
    (pipeline, outlet): (usize, &Arc<dyn Outlet>),
    scope: ScopeId,
    name: &str,
) -> SlotRef {
    let flags = TraceFlags::SAMPLED;
    let context =
        SpanContext::new(TraceId::from(1), SpanId::from(2), flags, false, TraceState::NONE);
    let head = Head {
        scope,
        context: &context,
        parent: SpanId::from(3),
        parent_is_remote: false,
        name,
        kind: &SpanKind::Client,
        start: 1,
    };
    local.open(Some((pipeline, outlet)), |span| {
        let record = begin(Vec::new(), &head);
        span.start(1, record, Keys::default(), &Limits::NONE, Anchor::default());
        span.route = SpanRoute::Pipeline(pipeline);
    })
}
