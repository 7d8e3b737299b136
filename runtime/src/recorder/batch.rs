//! Ended spans as bytes, from where they are recorded to the request that carries them.

use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::SpanData;

use super::decode::{context, decode};
use super::encode::write_span;
use super::message::{Certain, mark_sampled};
use super::record::{HEAD, LENGTH_BYTES, Record};
use super::scope::ScopeId;
use crate::encoding::Writer;

/// Ended spans, one record after the other. A record is the length of the message (four bytes, the lowest first),
/// the number of the span's [scope](super::scope) (the same), and a `Span` message of OTLP without tag and length.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    spans: usize,
}

impl Batch {
    /// A batch of one span.
    pub(crate) fn of(span: &SpanData) -> Self {
        let mut batch = Self::default();
        batch.push(ScopeId::of(&span.instrumentation_scope), |writer| write_span(writer, span));
        batch
    }

    /// The spans, in the order in which they were added.
    pub(crate) fn decode(&self) -> impl Iterator<Item = SpanData> {
        self.records().map(decode)
    }

    /// How many spans are in it.
    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// How many bytes its records take.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a span, whose message this function writes.
    pub(crate) fn push(&mut self, scope: ScopeId, write: impl FnOnce(&mut Writer<'_>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEAD]);
        write(&mut Writer::new(&mut self.bytes));
        let length = self.bytes.len() - start - HEAD;
        let Ok(length) = u32::try_from(length) else {
            // No protocol takes a message of four gigabytes.
            self.bytes.truncate(start);
            return;
        };
        let head = &mut self.bytes[start..start + HEAD];
        head[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        head[LENGTH_BYTES..].copy_from_slice(&scope.0.to_le_bytes());
        self.spans += 1;
    }

    /// The records.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes room for so many more bytes.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Adds a span whose record is complete.
    #[inline]
    pub(crate) fn push_record(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.spans += 1;
    }

    /// Makes the spans say that they are sampled, and in their `tracestate` how likely that was.
    pub(super) fn mark_sampled(&mut self, certain: Option<Certain>) {
        let mut marked = Self::default();
        for Record { scope, message } in self.records() {
            marked.push(scope, |writer| mark_sampled(writer, message, certain));
        }
        *self = marked;
    }

    /// Removes the spans, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans = 0;
    }

    /// The memory of a batch that is no longer needed, if it is neither too little to be of use nor too much to keep.
    pub(crate) fn emptied(mut self) -> Option<Self> {
        const WORTHWHILE: std::ops::Range<usize> = 16 << 10..256 << 10;

        self.clear();
        WORTHWHILE.contains(&self.bytes.capacity()).then_some(self)
    }

    /// Adds the spans of another batch behind those of this one.
    pub(crate) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.spans += other.spans;
    }

    /// The records as they are, with their heads.
    pub(crate) fn whole_records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        self.records().map(move |record| {
            let (whole, after) = rest.split_at(HEAD + record.message.len());
            rest = after;
            whole
        })
    }

    /// What names the spans.
    pub(super) fn contexts(&self) -> impl Iterator<Item = SpanContext> {
        self.records().map(|record| context(record.message))
    }

    /// The records of the spans, in the same order.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> + Clone {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (scope, after) = after.split_first_chunk()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (message, after) = after.split_at_checked(length)?;
            rest = after;
            Some(Record { scope: ScopeId(u32::from_le_bytes(*scope)), message })
        })
    }
}
