//! Which span is whose child, and where that puts its line.

use std::collections::HashMap;

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

/// The spans by their position: children under their parents, in the order they were given. A span
/// whose parent is not among them is a root.
pub(super) struct TraceTree {
    pub(super) roots: Vec<usize>,
    pub(super) children: Vec<Vec<usize>>,
}

impl TraceTree {
    pub(super) fn of(spans: &[SpanData]) -> Self {
        let positions = spans.iter().enumerate();
        let known: HashMap<SpanId, usize> =
            positions.map(|(index, span)| (span.span_context.span_id(), index)).collect();
        let mut roots = Vec::new();
        let mut children = vec![Vec::new(); spans.len()];
        for (index, span) in spans.iter().enumerate() {
            let parent = known.get(&span.parent_span_id);
            parent.map_or(&mut roots, |parent| &mut children[*parent]).push(index);
        }
        Self { roots, children }
    }
}

/// What stands before a span's own line, and before the lines below it.
#[derive(Clone, Default)]
pub(super) struct Lead {
    pub(super) depth: usize,
    trunks: String,
    branch: &'static str,
    trunk: &'static str,
}

impl Lead {
    pub(super) fn first(&self) -> String {
        format!("{}{}", self.trunks, self.branch)
    }

    pub(super) fn rest(&self) -> String {
        format!("{}{}", self.trunks, self.trunk)
    }

    /// The lead of a child; beyond `deepest` it is no further to the right than its parent's.
    pub(super) fn child(&self, last: bool, deepest: usize) -> Self {
        let trunks = if self.depth < deepest { self.rest() } else { self.trunks.clone() };
        let (branch, trunk) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        Self { depth: self.depth + 1, trunks, branch, trunk }
    }
}
