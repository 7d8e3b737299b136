//! What a span holds until it ends: values, or their bytes.

use std::cell::RefCell;
use std::fmt::Debug;

use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, Value};
use smallvec::SmallVec;

use super::wire::{self, Bytes, FIXED64, LENGTH_DELIMITED, VARINT, field_length, varint};

pub(crate) trait Fields: Debug + Default + Send + Sync + 'static {
    fn integer(&mut self, key: &'static str, value: i64);

    fn text(&mut self, key: &'static str, value: &str);

    fn pair(&mut self, pair: &KeyValue);

    fn event(&mut self, _name: &str, _nanos: u64, _attributes: &[KeyValue]) {}

    fn link(&mut self, _span: &SpanContext, _attributes: &[KeyValue]) {}

    fn bytes(&self) -> &[u8] {
        &[]
    }
}

/// As the SDK keeps them, but in place.
#[derive(Debug, Default)]
pub(crate) struct Values(SmallVec<[KeyValue; 4]>);

impl Fields for Values {
    #[inline]
    fn integer(&mut self, key: &'static str, value: i64) {
        self.0.push(KeyValue::new(key, value));
    }

    #[inline]
    fn text(&mut self, key: &'static str, value: &str) {
        self.0.push(KeyValue::new(key, value.to_owned()));
    }

    fn pair(&mut self, pair: &KeyValue) {
        self.0.push(pair.clone());
    }
}

/// The fields of the span's message, as they come: protobuf asks for no order.
#[derive(Debug)]
pub(crate) struct Encoded(Vec<u8>);

/// So many a thread keeps for its next spans.
const MOST_SPARE: usize = 32;

thread_local!(static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) });

impl Default for Encoded {
    #[inline]
    fn default() -> Self {
        Self(SPARE.with_borrow_mut(Vec::pop).unwrap_or_default())
    }
}

impl Drop for Encoded {
    #[inline]
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        bytes.clear();
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST_SPARE {
                spare.push(bytes);
            }
        });
    }
}

const ATTRIBUTES: u32 = 9;
const EVENTS: u32 = 11;
const LINKS: u32 = 13;

impl Fields for Encoded {
    #[inline]
    fn integer(&mut self, key: &'static str, value: i64) {
        integer(&mut self.0, ATTRIBUTES, key, value);
    }

    #[inline]
    fn text(&mut self, key: &'static str, value: &str) {
        text(&mut self.0, ATTRIBUTES, key, value);
    }

    fn pair(&mut self, pair: &KeyValue) {
        self::pair(&mut self.0, ATTRIBUTES, pair);
    }

    fn event(&mut self, name: &str, nanos: u64, attributes: &[KeyValue]) {
        let mut event = Vec::new();
        event.byte(wire::key(1, FIXED64));
        event.raw(&nanos.to_le_bytes());
        event.field(2, name.as_bytes());
        for pair in attributes {
            self::pair(&mut event, 3, pair);
        }
        self.0.field(EVENTS, &event);
    }

    fn link(&mut self, span: &SpanContext, attributes: &[KeyValue]) {
        let mut link = Vec::new();
        link.field(1, &span.trace_id().to_bytes());
        link.field(2, &span.span_id().to_bytes());
        for pair in attributes {
            self::pair(&mut link, 4, pair);
        }
        self.0.field(LINKS, &link);
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn pair(out: &mut Vec<u8>, field: u32, pair: &KeyValue) {
    match &pair.value {
        Value::I64(number) => integer(out, field, pair.key.as_str(), *number),
        other => text(out, field, pair.key.as_str(), &other.as_str()),
    }
}

#[inline]
fn integer(out: &mut Vec<u8>, field: u32, key: &str, value: i64) {
    let (bytes, length) = varint(value.cast_unsigned());
    begin(out, field, key, 1 + length);
    out.byte(wire::key(3, VARINT));
    out.raw(&bytes[..length]);
}

#[inline]
fn text(out: &mut Vec<u8>, field: u32, key: &str, value: &str) {
    begin(out, field, key, field_length(value.len()));
    out.field(1, value.as_bytes());
}

/// A pair up to its value, which has so many bytes.
#[inline]
fn begin(out: &mut Vec<u8>, field: u32, key: &str, value: usize) {
    let pair = field_length(key.len()) + field_length(value);
    out.reserve(field_length(pair));
    out.byte(wire::key(field, LENGTH_DELIMITED));
    out.length(pair);
    out.field(1, key.as_bytes());
    out.byte(wire::key(2, LENGTH_DELIMITED));
    out.length(value);
}
