//! Which spans are drawn, in which order; long runs of one name are folded.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use crate::tree::trace_tree::{Lead, TraceTree};

/// Up to this many siblings of one name are all drawn.
const MANY: usize = 6;
/// Of more, the first so many are.
const FIRST: usize = 2;

/// A span, or many in its place.
pub(super) struct Row<'a> {
    pub(super) lead: Lead,
    pub(super) item: Item<'a>,
    /// Whether there are rows below it.
    pub(super) parent: bool,
    /// Whether a child of it failed with the same words.
    pub(super) told_below: bool,
}

pub(super) enum Item<'a> {
    Span { index: usize, span: &'a SpanData },
    Folded(Folded<'a>),
}

/// Siblings of one name, and all below them.
pub(super) struct Folded<'a> {
    pub(super) name: &'a str,
    pub(super) count: usize,
    pub(super) taken: Duration,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
}

pub(super) fn rows(spans: &[SpanData], deepest: usize) -> Vec<Row<'_>> {
    let tree = TraceTree::of(spans);
    let failing = failing(spans, &tree);
    let mut rows = Vec::new();
    let mut waiting: Vec<_> = fold(spans, &tree.roots, &failing)
        .into_iter()
        .rev()
        .map(|item| (item, Lead::default()))
        .collect();
    while let Some((item, lead)) = waiting.pop() {
        let below = match &item {
            Item::Span { index, .. } => tree.children[*index].as_slice(),
            Item::Folded(_) => &[],
        };
        for (after, child) in fold(spans, below, &failing).into_iter().rev().enumerate() {
            waiting.push((child, lead.child(after == 0, deepest)));
        }
        let told_below = match &item {
            Item::Span { span, .. } => below.iter().any(|child| passes_on(&spans[*child], span)),
            Item::Folded(_) => false,
        };
        rows.push(Row { lead, item, parent: !below.is_empty(), told_below });
    }
    rows
}

pub(super) fn taken(span: &SpanData) -> Duration {
    span.end_time.duration_since(span.start_time).unwrap_or_default()
}

/// Whether a failure is the child's first.
fn passes_on(child: &SpanData, parent: &SpanData) -> bool {
    matches!(child.status, Status::Error { .. }) && child.status == parent.status
}

/// The spans that failed or have one below them that did: these are always drawn.
fn failing(spans: &[SpanData], tree: &TraceTree) -> Vec<bool> {
    let mut parents = vec![None; spans.len()];
    for (parent, children) in tree.children.iter().enumerate() {
        for child in children {
            parents[*child] = Some(parent);
        }
    }
    let mut failing = vec![false; spans.len()];
    for (index, span) in spans.iter().enumerate() {
        let mut next = matches!(span.status, Status::Error { .. }).then_some(index);
        while let Some(index) = next.filter(|index| !failing[*index]) {
            failing[index] = true;
            next = parents[index];
        }
    }
    failing
}

/// Siblings of one name need not be next to each other: those that take turns are folded too.
fn fold<'a>(spans: &'a [SpanData], siblings: &[usize], failing: &[bool]) -> Vec<Item<'a>> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let sound = siblings.iter().filter(|index| !failing[**index]);
    sound.for_each(|index| *counts.entry(&spans[*index].name).or_default() += 1);
    counts.retain(|_, count| *count > MANY);

    let mut folds: HashMap<&str, usize> = HashMap::new();
    let mut drawn: HashMap<&str, usize> = HashMap::new();
    let mut items = Vec::new();
    for index in siblings.iter().copied() {
        let span = &spans[index];
        let name = span.name.as_ref();
        let drawn = drawn.entry(name).or_default();
        if failing[index] || !counts.contains_key(name) || *drawn < FIRST {
            *drawn += usize::from(!failing[index]);
            items.push(Item::Span { index, span });
            continue;
        }
        let place = *folds.entry(name).or_insert(items.len());
        match items.get_mut(place) {
            Some(Item::Folded(folded)) => folded.add(span),
            _ => items.push(Item::Folded(Folded::new(span))),
        }
    }
    items
}

impl<'a> Folded<'a> {
    fn new(span: &'a SpanData) -> Self {
        let (start, end) = (span.start_time, span.end_time);
        Self { name: &span.name, count: 1, taken: taken(span), start, end }
    }

    fn add(&mut self, span: &SpanData) {
        self.count += 1;
        self.taken = self.taken.saturating_add(taken(span));
        self.start = self.start.min(span.start_time);
        self.end = self.end.max(span.end_time);
    }
}
