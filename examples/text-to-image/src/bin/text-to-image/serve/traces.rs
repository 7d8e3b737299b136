//! The last traces, for the page: what the server's own spans say, as they end.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::{Path, State};
use opentelemetry::trace::{Span as _, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use serde::Serialize;
use spandrel::{Context, SpanId, TraceId};

use super::Server;
use super::failure::{Failure, Reason};

/// How many traces are kept, the last ones.
const TRACES: usize = 256;
/// How many spans of each.
const SPANS: usize = 1024;

#[derive(Clone, Debug, Default)]
pub(super) struct Traces(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    traces: HashMap<TraceId, Trace>,
    order: VecDeque<TraceId>,
}

#[derive(Debug, Default)]
struct Trace {
    open: usize,
    spans: Vec<SpanData>,
}

/// A trace, and under it those that it is linked to: the batches its pictures were drawn in.
#[derive(Serialize)]
pub(super) struct Waterfall {
    /// Whether all spans have ended.
    complete: bool,
    /// Children come after their parents, at the time they started.
    spans: Vec<Bar>,
}

/// A span; times are in milliseconds from the start of the first one.
#[derive(Serialize)]
struct Bar {
    trace_id: String,
    span_id: String,
    depth: usize,
    name: String,
    start: f64,
    duration: f64,
    error: Option<String>,
    attributes: BTreeMap<String, String>,
}

pub(super) async fn show(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
) -> Result<Json<Waterfall>, Failure> {
    let trace = TraceId::from_hex(&id).ok().and_then(|id| server.traces.waterfall(id));
    Ok(Json(trace.ok_or(Reason::Trace(id))?))
}

impl Traces {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waterfall(&self, id: TraceId) -> Option<Waterfall> {
        let kept = self.kept();
        let own = kept.traces.get(&id)?;
        let links = own.spans.iter().flat_map(|span| span.links.iter());
        let linked = links.filter_map(|link| kept.traces.get(&link.span_context.trace_id()));
        let traces: Vec<&Trace> = std::iter::once(own).chain(linked).collect();
        let starts = traces.iter().flat_map(|trace| &trace.spans).map(|span| span.start_time);
        let first = starts.min()?;
        Some(Waterfall {
            complete: traces.iter().all(|trace| trace.open == 0),
            spans: traces.iter().flat_map(|trace| trace.bars(first)).collect(),
        })
    }
}

impl Trace {
    fn bars(&self, first: SystemTime) -> Vec<Bar> {
        let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
        let ids: HashSet<SpanId> =
            self.spans.iter().map(|span| span.span_context.span_id()).collect();
        for span in &self.spans {
            // The caller's span is not here, nor is one that is still open.
            let parent = Some(span.parent_span_id).filter(|parent| ids.contains(parent));
            children.entry(parent.unwrap_or(SpanId::INVALID)).or_default().push(span);
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|span| Reverse(span.start_time));
        }
        let mut bars = Vec::with_capacity(self.spans.len());
        let mut next: Vec<(usize, &SpanData)> = Vec::new();
        let below = |parent, depth| {
            children.get(&parent).into_iter().flatten().map(move |&span| (depth, span))
        };
        next.extend(below(SpanId::INVALID, 0));
        while let Some((depth, span)) = next.pop() {
            bars.push(Bar::new(span, depth, first));
            next.extend(below(span.span_context.span_id(), depth + 1));
        }
        bars
    }
}

impl Bar {
    fn new(span: &SpanData, depth: usize, first: SystemTime) -> Self {
        let millis = |from: SystemTime, to: SystemTime| {
            to.duration_since(from).unwrap_or_default().as_secs_f64() * 1000.0
        };
        let attributes = span.attributes.iter();
        Self {
            trace_id: span.span_context.trace_id().to_string(),
            span_id: span.span_context.span_id().to_string(),
            depth,
            name: span.name.to_string(),
            start: millis(first, span.start_time),
            duration: millis(span.start_time, span.end_time),
            error: match &span.status {
                Status::Error { description } => Some(description.to_string()),
                _ => None,
            },
            attributes: attributes
                .map(|entry| (entry.key.to_string(), entry.value.to_string()))
                .collect(),
        }
    }
}

impl SpanProcessor for Traces {
    fn on_start(&self, span: &mut Span, _: &Context) {
        let id = span.span_context().trace_id();
        let mut kept = self.kept();
        if !kept.traces.contains_key(&id) {
            kept.order.push_back(id);
            if kept.order.len() > TRACES
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.traces.remove(&oldest);
            }
        }
        kept.traces.entry(id).or_default().open += 1;
    }

    fn on_end(&self, span: SpanData) {
        if let Some(trace) = self.kept().traces.get_mut(&span.span_context.trace_id()) {
            trace.open = trace.open.saturating_sub(1);
            if trace.spans.len() < SPANS {
                trace.spans.push(span);
            }
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
