//! Spans as the bytes of OTLP's messages, written from the spans as they are: the messages between would be most
//! of what a span costs.

#[cfg(feature = "_otlp")]
use opentelemetry::InstrumentationScope;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use super::clock::nanos;
use crate::encoding::{Limits, Writer, write_attribute};

/// The fields of an `InstrumentationScope` message.
#[cfg(feature = "_otlp")]
pub(crate) fn write_scope(writer: &mut Writer<'_>, scope: &InstrumentationScope) {
    writer.text(1, scope.name());
    writer.text(2, scope.version().unwrap_or_default());
    for pair in scope.attributes() {
        write_attribute(writer, 3, pair.key.as_str(), (&pair.value).into(), &Limits::NONE);
    }
}

/// The fields of a `Span` message.
pub(crate) fn write_span(writer: &mut Writer<'_>, span: &SpanData) {
    let context = &span.span_context;
    write_ids(writer, context);
    if span.parent_span_id != SpanId::INVALID {
        writer.bytes(4, &span.parent_span_id.to_bytes());
    }
    writer.text(5, &span.name);
    writer.varint_field(6, kind_number(&span.span_kind));
    writer.fixed64(7, nanos(span.start_time));
    writer.fixed64(8, nanos(span.end_time));
    attributes(writer, 9, &span.attributes);
    writer.varint_field(10, span.dropped_attributes_count.into());
    for event in span.events.iter() {
        writer.message(11, |writer| self::event(writer, event));
    }
    writer.varint_field(12, span.events.dropped_count.into());
    for link in span.links.iter() {
        writer.message(13, |writer| self::link(writer, link));
    }
    writer.varint_field(14, span.links.dropped_count.into());
    writer.message(15, |writer| match &span.status {
        Status::Unset => {}
        Status::Ok => writer.varint_field(3, 1),
        Status::Error { description } => {
            writer.text(2, description);
            writer.varint_field(3, 2);
        }
    });
    writer.fixed32(16, flags(context, span.parent_span_is_remote));
}

fn event(writer: &mut Writer<'_>, event: &Event) {
    writer.fixed64(1, nanos(event.timestamp));
    writer.text(2, &event.name);
    attributes(writer, 3, &event.attributes);
    writer.varint_field(4, event.dropped_attributes_count.into());
}

fn link(writer: &mut Writer<'_>, link: &Link) {
    write_ids(writer, &link.span_context);
    attributes(writer, 4, &link.attributes);
    writer.varint_field(5, link.dropped_attributes_count.into());
    writer.fixed32(6, flags(&link.span_context, link.span_context.is_remote()));
}

pub(super) fn write_ids(writer: &mut Writer<'_>, context: &SpanContext) {
    writer.bytes(1, &context.trace_id().to_bytes());
    writer.bytes(2, &context.span_id().to_bytes());
    writer.text(3, &context.trace_state().header());
}

/// Set in a message's flags where the context is remote.
pub(super) const REMOTE: u32 = 0x200;

/// The flags of W3C, and from the ninth bit on whether a context is remote.
pub(super) fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    const KNOWN: u32 = 0x100;
    u32::from(context.trace_flags().to_u8()) | KNOWN | if is_remote { REMOTE } else { 0 }
}

pub(super) fn kind_number(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn attributes(writer: &mut Writer<'_>, field: u32, attributes: &[KeyValue]) {
    for pair in attributes {
        write_attribute(writer, field, pair.key.as_str(), (&pair.value).into(), &Limits::NONE);
    }
}
