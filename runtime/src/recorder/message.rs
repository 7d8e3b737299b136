//! A `Span` message of OTLP that is being written, field by field, as they become known: protobuf asks for no order.

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceState};

use super::decode::context;
use super::encode::{flags, kind_number, write_ids};
use super::record::{HEAD, LENGTH_BYTES, OPEN};
use super::scope::ScopeId;
use crate::encoding::{
    Field, Key, Keys, Limits, SPAN_NAME, ValueRef, Writer, fields, fields_at, write_attribute,
};

const EVENT: u32 = 11;
const LINK: u32 = 13;
const STATUS: u32 = 15;

/// The name of an event that is an exception, after the semantic conventions.
pub(crate) const EXCEPTION: &str = "exception";

/// What a `tracestate` becomes that says that its trace is sampled with certainty.
pub(crate) type Certain = fn(&str) -> String;

/// What is known of a span when it starts.
pub(crate) struct Head<'a> {
    pub(crate) scope: ScopeId,
    pub(crate) context: &'a SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
    /// Nanoseconds since 1970.
    pub(crate) start: u64,
}

/// The head of a record, and those fields of a message that have the same length in each.
struct Fixed([u8; Self::LENGTH]);

impl Fixed {
    const WITHOUT_PARENT: usize = HEAD + 18 + 10 + 2 + 9 + 6;
    const LENGTH: usize = Self::WITHOUT_PARENT + 10;

    #[inline]
    fn new(head: &Head<'_>) -> Self {
        let Head { scope, context, parent, parent_is_remote, kind, start, .. } = head;
        let mut bytes = [0; Self::LENGTH];
        // The length of the record comes first. It is known at the end.
        let mut end = LENGTH_BYTES;
        let mut put = |part: &[u8]| {
            bytes[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        };
        let [kind, ..] = kind_number(kind).to_le_bytes();
        put(&scope.0.to_le_bytes());
        put(&[1 << 3 | 2, 16]);
        put(&context.trace_id().to_bytes());
        put(&[2 << 3 | 2, 8]);
        put(&context.span_id().to_bytes());
        put(&[6 << 3, kind, 7 << 3 | 1]);
        put(&start.to_le_bytes());
        put(&[(16 << 3 | 5) & 0x7f | 0x80, 1]);
        put(&flags(context, *parent_is_remote).to_le_bytes());
        put(&[4 << 3 | 2, 8]);
        put(&parent.to_bytes());
        Self(bytes)
    }
}

/// The message, with the head of its record before it, and what is counted.
#[derive(Debug, Default)]
pub(super) struct SpanMessage {
    bytes: Vec<u8>,
    keys: Keys,
    counts: EventCounts,
    status: StatusCode,
}

/// How many events and links a message has, and how many were dropped.
#[derive(Debug, Default)]
struct EventCounts {
    events: u32,
    dropped_events: u32,
    links: u32,
    dropped_links: u32,
    /// When the latest event happened, in nanoseconds since 1970.
    latest_event: u64,
}

/// In the order of the specification: a status gives way to a later one only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum StatusCode {
    #[default]
    Unset,
    Error,
    Ok,
}

/// The beginning of a span's record, in memory that was used before. The attributes follow.
#[inline]
pub(super) fn begin(mut bytes: Vec<u8>, head: &Head<'_>) -> Vec<u8> {
    let Head { context, parent, name, .. } = head;
    bytes.clear();
    bytes.reserve(192 + name.len());
    bytes.extend_from_slice(&Fixed::new(head).0);
    if *parent == SpanId::INVALID {
        bytes.truncate(Fixed::WITHOUT_PARENT);
    }
    let mut writer = Writer::new(&mut bytes);
    writer.text(SPAN_NAME, name);
    if context.trace_state() != &TraceState::NONE {
        writer.text(3, &context.trace_state().header());
    }
    bytes
}

impl SpanMessage {
    /// Goes on with the message of another span, which begins with these bytes, the head of its record among them.
    /// Returns memory that was used before.
    #[inline]
    pub(super) fn start(&mut self, bytes: Vec<u8>, keys: Keys) -> Vec<u8> {
        self.keys = keys;
        self.counts = EventCounts::default();
        self.status = StatusCode::Unset;
        std::mem::replace(&mut self.bytes, bytes)
    }

    /// What names the span.
    pub(super) fn context(&self) -> SpanContext {
        context(&self.bytes[HEAD..])
    }

    pub(super) fn set_attribute(&mut self, key: &str, value: ValueRef<'_>, limits: &Limits) {
        self.keys.set(&mut self.bytes, HEAD, key, value, limits);
    }

    pub(super) fn set_prepared(&mut self, key: &Key<'_>, value: ValueRef<'_>, limits: &Limits) {
        self.keys.set_prepared(&mut self.bytes, HEAD, key, value, limits);
    }

    pub(super) fn has_attribute(&self, key: &Key<'_>) -> bool {
        self.keys.may_have(key.mark) && self.keys.have(key.text, &self.bytes[HEAD..])
    }

    /// Keeps the first events, and all exceptions that there is any room for.
    pub(super) fn add_event<'a>(
        &mut self,
        name: &str,
        nanos: u64,
        attributes: impl ExactSizeIterator<Item = (&'a str, ValueRef<'a>)>,
        limits: &Limits,
    ) {
        if self.counts.events >= limits.events {
            self.counts.dropped_events = self.counts.dropped_events.saturating_add(1);
            if name != EXCEPTION || !self.remove_last_event() {
                return;
            }
        }
        self.counts.events += 1;
        self.counts.latest_event = self.counts.latest_event.max(nanos);
        Writer::new(&mut self.bytes).message(EVENT, |writer| {
            writer.fixed64(1, nanos);
            writer.text(2, name);
            write_limited(writer, 3, 4, attributes, limits.event_attributes, limits);
        });
    }

    /// Whether there was an event that is no exception: the last of these is no more.
    fn remove_last_event(&mut self) -> bool {
        let is_ordinary = |field: &Field<'_>| match field {
            Field::Bytes(event) => !fields(event).any(|(number, field)| {
                number == 2 && matches!(field, Field::Bytes(name) if name == EXCEPTION.as_bytes())
            }),
            _ => false,
        };
        let last = fields_at(&self.bytes[HEAD..])
            .filter(|(number, field, _)| *number == EVENT && is_ordinary(field))
            .last()
            .map(|(_, _, place)| HEAD + place.start..HEAD + place.end);
        let Some(place) = last else { return false };
        self.bytes.drain(place);
        self.counts.events -= 1;
        true
    }

    pub(super) fn add_link(&mut self, to: &SpanContext, attributes: &[KeyValue], limits: &Limits) {
        if self.counts.links >= limits.links {
            self.counts.dropped_links = self.counts.dropped_links.saturating_add(1);
            return;
        }
        self.counts.links += 1;
        Writer::new(&mut self.bytes).message(LINK, |writer| {
            write_ids(writer, to);
            let attributes = pairs(attributes);
            write_limited(writer, 4, 5, attributes, limits.link_attributes, limits);
            writer.fixed32(6, flags(to, to.is_remote()));
        });
    }

    /// As the specification says: `Ok` is final, and an error is not unset.
    pub(super) fn set_status(&mut self, status: &Status) {
        let code = match status {
            Status::Unset => StatusCode::Unset,
            Status::Error { .. } => StatusCode::Error,
            Status::Ok => StatusCode::Ok,
        };
        if code < self.status || code == StatusCode::Unset || self.status == StatusCode::Ok {
            return;
        }
        if self.status != StatusCode::Unset {
            self.remove(STATUS);
        }
        self.status = code;
        let (description, number) = match status {
            Status::Error { description } => (&**description, 2),
            Status::Ok | Status::Unset => ("", 1),
        };
        self.write_status(description, number);
    }

    /// The same with [`Status::Error`], whose description is borrowed.
    pub(super) fn set_error(&mut self, description: &str) {
        if self.status == StatusCode::Unset {
            self.status = StatusCode::Error;
            self.write_status(description, 2);
        } else {
            self.set_status(&Status::error(description.to_owned()));
        }
    }

    fn write_status(&mut self, description: &str, number: u64) {
        Writer::new(&mut self.bytes).message(STATUS, |writer| {
            writer.text(2, description);
            writer.varint_field(3, number);
        });
    }

    pub(super) fn rename(&mut self, name: &str) {
        self.remove(SPAN_NAME);
        Writer::new(&mut self.bytes).text(SPAN_NAME, name);
    }

    fn remove(&mut self, field: u32) {
        let found = fields_at(&self.bytes[HEAD..]).find(|(number, ..)| *number == field);
        if let Some((_, _, place)) = found {
            self.bytes.drain(HEAD + place.start..HEAD + place.end);
        }
    }

    pub(super) fn is_error(&self) -> bool {
        self.status == StatusCode::Error
    }

    /// The message with the head of its record.
    #[inline]
    pub(super) fn record(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes how long the record of the open span is by now, behind what it counts.
    #[inline]
    pub(super) fn seal(&mut self) {
        self.write_length(OPEN);
    }

    #[inline]
    fn write_length(&mut self, flag: u32) {
        let length = u32::try_from(self.bytes.len() - HEAD).unwrap_or_default() | flag;
        self.bytes[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    }

    /// Completes the record. An event that is later than the end gets the time of the end.
    #[inline]
    pub(super) fn finish(&mut self, end: u64) {
        if self.counts.latest_event > end {
            self.limit_event_times(end);
        }
        let mut writer = Writer::new(&mut self.bytes);
        writer.fixed64(8, end);
        let dropped = self.keys.dropped();
        writer.varint_field(10, dropped.into());
        writer.varint_field(12, self.counts.dropped_events.into());
        writer.varint_field(14, self.counts.dropped_links.into());
        self.write_length(0);
    }

    #[cold]
    fn limit_event_times(&mut self, end: u64) {
        // The time is the first field of an event: a byte that is its key, and eight that are the time.
        let late: Vec<usize> = fields_at(&self.bytes[HEAD..])
            .filter_map(|(number, field, place)| match field {
                Field::Bytes(event) if number == EVENT => match fields(event).next() {
                    Some((1, Field::Fixed64(nanos))) if nanos > end => {
                        Some(HEAD + place.end - event.len() + 1)
                    }
                    _ => None,
                },
                _ => None,
            })
            .collect();
        for place in late {
            self.bytes[place..place + 8].copy_from_slice(&end.to_le_bytes());
        }
    }

    /// The memory that is kept for the next span.
    pub(super) fn recycle(&mut self) {
        const MOST_KEPT: usize = 4096;
        self.bytes.clear();
        if self.bytes.capacity() > MOST_KEPT {
            self.bytes = Vec::new();
        }
    }
}

/// The keys and values of attributes.
pub(super) fn pairs(
    attributes: &[KeyValue],
) -> impl ExactSizeIterator<Item = (&str, ValueRef<'_>)> {
    attributes.iter().map(|pair| (pair.key.as_str(), (&pair.value).into()))
}

/// Writes as many attributes as the limit allows, and how many it does not.
fn write_limited<'a>(
    writer: &mut Writer<'_>,
    field: u32,
    dropped_field: u32,
    attributes: impl ExactSizeIterator<Item = (&'a str, ValueRef<'a>)>,
    most: u32,
    limits: &Limits,
) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let dropped = attributes.len().saturating_sub(most);
    for (key, value) in attributes.take(most) {
        write_attribute(writer, field, key, value, limits);
    }
    writer.varint_field(dropped_field, dropped as u64);
}

/// Writes the fields of a message, for a span that is sampled; with what this makes of its `tracestate`.
pub(super) fn mark_sampled(writer: &mut Writer<'_>, message: &[u8], certain: Option<Certain>) {
    const TRACE_STATE: u32 = 3;
    const FLAGS: u32 = 16;
    const SAMPLED: u32 = 1;

    let mut state = "";
    for (number, field, place) in fields_at(message) {
        match (number, field) {
            (FLAGS, Field::Fixed32(flags)) => writer.fixed32(FLAGS, flags | SAMPLED),
            (TRACE_STATE, Field::Bytes(bytes)) if certain.is_some() => {
                state = str::from_utf8(bytes).unwrap_or_default();
            }
            _ => writer.raw(&message[place]),
        }
    }
    if let Some(certain) = certain {
        writer.text(TRACE_STATE, &certain(state));
    }
}
