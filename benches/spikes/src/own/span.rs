//! What is recorded of a span, and its bytes.

use std::borrow::Cow;
use std::fmt::Debug;

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};

use super::clock::Clock;
use super::fields::Fields;
use super::wire::{Bytes, FIXED32, FIXED64, LENGTH_DELIMITED, VARINT, field_length, key};
use super::{ids, local};

#[derive(Debug)]
pub(crate) struct Data<C: Clock, F> {
    pub(crate) name: Cow<'static, str>,
    pub(crate) trace: TraceId,
    pub(crate) id: SpanId,
    parent: Parent,
    begun: C::Time,
    pub(crate) fields: F,
    status: Status,
}

/// What a span starts under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub(crate) trace: TraceId,
    pub(crate) id: SpanId,
    pub(crate) is_remote: bool,
}

impl Parent {
    pub(crate) fn of(span: &SpanContext) -> Self {
        Self { trace: span.trace_id(), id: span.span_id(), is_remote: span.is_remote() }
    }
}

/// What becomes of a span that has ended.
pub(crate) trait End: Debug + Send + Sync + 'static {
    fn end<C: Clock, F: Fields>(data: Data<C, F>, nanos: u64);
}

#[derive(Debug)]
pub(crate) struct Dropped;

impl End for Dropped {
    #[inline]
    fn end<C: Clock, F: Fields>(data: Data<C, F>, nanos: u64) {
        std::hint::black_box((data, nanos));
    }
}

/// Its bytes are in the buffer of the thread that it ended on.
#[derive(Debug)]
pub(crate) struct Written;

impl End for Written {
    #[inline]
    fn end<C: Clock, F: Fields>(data: Data<C, F>, nanos: u64) {
        local::here().write(|bytes| data.write(nanos, bytes));
    }
}

impl<C: Clock, F: Fields> Data<C, F> {
    #[inline]
    pub(crate) fn begin(name: &'static str, parent: Parent) -> Self {
        let root = parent.id == SpanId::INVALID;
        Self {
            name: Cow::Borrowed(name),
            trace: if root { ids::trace() } else { parent.trace },
            id: ids::span(),
            parent,
            begun: C::now(),
            fields: F::default(),
            status: Status::Unset,
        }
    }

    #[inline]
    pub(crate) fn span_context(&self) -> SpanContext {
        SpanContext::new(self.trace, self.id, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    pub(crate) fn set_status(&mut self, status: Status) {
        if status > self.status {
            self.status = status;
        }
    }

    /// The second field of a `ScopeSpans`.
    #[inline]
    pub(crate) fn write(&self, ended: u64, out: &mut Vec<u8>) {
        const KIND: u8 = 1;
        const HEAD: usize = 18 + 10;
        const PARENT: usize = 10;
        const TAIL: usize = 2 + 9 + 9 + 6;
        let fields = self.fields.bytes();
        let status = match &self.status {
            Status::Unset => 0,
            Status::Ok => 2,
            Status::Error { description } => field_length(description.len()) + 2,
        };
        let is_root = self.parent.id == SpanId::INVALID;
        let length = HEAD
            + if is_root { 0 } else { PARENT }
            + field_length(self.name.len())
            + fields.len()
            + field_length(status)
            + TAIL;
        out.reserve(field_length(length));
        out.byte(key(2, LENGTH_DELIMITED));
        out.length(length);

        let mut head = [0; HEAD + PARENT];
        head[0] = key(1, LENGTH_DELIMITED);
        head[1] = 16;
        head[2..18].copy_from_slice(&self.trace.to_bytes());
        head[18] = key(2, LENGTH_DELIMITED);
        head[19] = 8;
        head[20..28].copy_from_slice(&self.id.to_bytes());
        head[28] = key(4, LENGTH_DELIMITED);
        head[29] = 8;
        head[30..38].copy_from_slice(&self.parent.id.to_bytes());
        out.raw(if is_root { &head[..HEAD] } else { &head });

        out.field(5, self.name.as_bytes());
        out.raw(fields);
        out.byte(key(15, LENGTH_DELIMITED));
        out.length(status);
        match &self.status {
            Status::Unset => {}
            Status::Ok => out.raw(&[key(3, VARINT), 1]),
            Status::Error { description } => {
                out.field(2, description.as_bytes());
                out.raw(&[key(3, VARINT), 2]);
            }
        }

        let mut tail = [0; TAIL];
        tail[0] = key(6, VARINT);
        tail[1] = KIND;
        tail[2] = key(7, FIXED64);
        tail[3..11].copy_from_slice(&C::nanos(self.begun).to_le_bytes());
        tail[11] = key(8, FIXED64);
        tail[12..20].copy_from_slice(&ended.to_le_bytes());
        // The sixteenth: its key has two bytes.
        tail[20] = key(0, FIXED32) | 0x80;
        tail[21] = 1;
        let remote = if self.parent.is_remote { 0x200 } else { 0 };
        let flags = u32::from(TraceFlags::SAMPLED.to_u8()) | 0x100 | remote;
        tail[22..26].copy_from_slice(&flags.to_le_bytes());
        out.raw(&tail);
    }
}
