//! Spans from the bytes of their records, for those who take the SDK's `SpanData`: exporters of the program's own,
//! the console and `testing`.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::encode::REMOTE;
use super::record::Record;
use crate::encoding::{Field, fields, key_value, text};

/// The span of a record. Times are exact to the nanosecond. An array without values has lost its type, and is one of
/// strings.
pub(crate) fn decode(record: Record<'_>) -> SpanData {
    let mut ids = Ids::default();
    let mut parent_span_id = SpanId::INVALID;
    let (mut name, mut span_kind) = (Cow::Borrowed(""), SpanKind::Internal);
    let (mut start_time, mut end_time) = (UNIX_EPOCH, UNIX_EPOCH);
    let (mut attributes, mut dropped_attributes_count) = (Vec::new(), 0);
    let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
    let mut status = Status::Unset;
    for (number, field) in fields(record.message) {
        match (number, field) {
            (1..=3, Field::Bytes(bytes)) => ids.read(number, bytes),
            (4, Field::Bytes(bytes)) => parent_span_id = span_id(bytes),
            (5, Field::Bytes(bytes)) => name = text(bytes).into(),
            (6, Field::Varint(number)) => span_kind = kind(number),
            (7, Field::Fixed64(nanos)) => start_time = time(nanos),
            (8, Field::Fixed64(nanos)) => end_time = time(nanos),
            (9, Field::Bytes(pair)) => attributes.push(key_value(pair)),
            (10, Field::Varint(count)) => dropped_attributes_count = number32(count),
            (11, Field::Bytes(event)) => events.events.push(self::event(event)),
            (12, Field::Varint(count)) => events.dropped_count = number32(count),
            (13, Field::Bytes(link)) => links.links.push(self::link(link)),
            (14, Field::Varint(count)) => links.dropped_count = number32(count),
            (15, Field::Bytes(message)) => status = self::status(message),
            (16, Field::Fixed32(flags)) => ids.flags = flags,
            _ => {}
        }
    }
    SpanData {
        parent_span_is_remote: ids.is_remote(),
        span_context: ids.context(false),
        parent_span_id,
        span_kind,
        name,
        start_time,
        end_time,
        attributes,
        dropped_attributes_count,
        events,
        links,
        status,
        instrumentation_scope: (*record.scope.scope()).clone(),
    }
}

/// What names the span of a message.
pub(super) fn context(message: &[u8]) -> SpanContext {
    let mut ids = Ids::default();
    for (number, field) in fields(message) {
        match (number, field) {
            (1..=3, Field::Bytes(bytes)) => ids.read(number, bytes),
            (16, Field::Fixed32(flags)) => ids.flags = flags,
            _ => {}
        }
    }
    ids.context(false)
}

/// What names a span, in its own message and in links to it.
#[derive(Default)]
struct Ids<'a> {
    trace: &'a [u8],
    span: &'a [u8],
    trace_state: &'a [u8],
    flags: u32,
}

impl<'a> Ids<'a> {
    fn read(&mut self, number: u32, bytes: &'a [u8]) {
        match number {
            1 => self.trace = bytes,
            2 => self.span = bytes,
            _ => self.trace_state = bytes,
        }
    }

    fn is_remote(&self) -> bool {
        self.flags & REMOTE != 0
    }

    fn context(&self, is_remote: bool) -> SpanContext {
        let trace = self.trace.try_into().map_or(TraceId::INVALID, TraceId::from_bytes);
        let state = str::from_utf8(self.trace_state).ok().and_then(|state| state.parse().ok());
        let [flags, ..] = self.flags.to_le_bytes();
        SpanContext::new(
            trace,
            span_id(self.span),
            TraceFlags::new(flags),
            is_remote,
            state.unwrap_or(TraceState::NONE),
        )
    }
}

fn event(message: &[u8]) -> Event {
    let (mut timestamp, mut name, mut attributes, mut dropped) =
        (UNIX_EPOCH, String::new(), Vec::new(), 0);
    for field in fields(message) {
        match field {
            (1, Field::Fixed64(nanos)) => timestamp = time(nanos),
            (2, Field::Bytes(bytes)) => name = text(bytes),
            (3, Field::Bytes(pair)) => attributes.push(key_value(pair)),
            (4, Field::Varint(count)) => dropped = number32(count),
            _ => {}
        }
    }
    Event::new(name, timestamp, attributes, dropped)
}

fn link(message: &[u8]) -> Link {
    let (mut ids, mut attributes, mut dropped) = (Ids::default(), Vec::new(), 0);
    for (number, field) in fields(message) {
        match (number, field) {
            (1..=3, Field::Bytes(bytes)) => ids.read(number, bytes),
            (4, Field::Bytes(pair)) => attributes.push(key_value(pair)),
            (5, Field::Varint(count)) => dropped = number32(count),
            (6, Field::Fixed32(flags)) => ids.flags = flags,
            _ => {}
        }
    }
    Link::new(ids.context(ids.is_remote()), attributes, dropped)
}

fn status(message: &[u8]) -> Status {
    let (mut description, mut code) = (String::new(), 0);
    for field in fields(message) {
        match field {
            (2, Field::Bytes(bytes)) => description = text(bytes),
            (3, Field::Varint(number)) => code = number,
            _ => {}
        }
    }
    match code {
        1 => Status::Ok,
        2 => Status::error(description),
        _ => Status::Unset,
    }
}

fn kind(number: u64) -> SpanKind {
    match number {
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn span_id(bytes: &[u8]) -> SpanId {
    bytes.try_into().map_or(SpanId::INVALID, SpanId::from_bytes)
}

fn time(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

fn number32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
