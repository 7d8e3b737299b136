//! Attribute values, borrowed, on their way into bytes.

use opentelemetry::{Array, Value};

use super::limits::Limits;
use super::wire::{FIXED64, VARINT, Writer, field_length, varint_length};

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ValueRef<'a> {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(&'a str),
    Array(&'a Array),
    /// Of a kind that a later version of OpenTelemetry's API adds.
    Unknown,
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Bool(flag) => Self::Bool(*flag),
            Value::I64(number) => Self::I64(*number),
            Value::F64(number) => Self::F64(*number),
            Value::String(text) => Self::Text(text.as_str()),
            Value::Array(array) => Self::Array(array),
            _ => Self::Unknown,
        }
    }
}

/// Writes an attribute as a field that is a `KeyValue` message.
#[inline]
pub(crate) fn write_attribute(
    writer: &mut Writer<'_>,
    field: u32,
    key: &str,
    value: ValueRef<'_>,
    limits: &Limits,
) {
    let value_length = match value {
        ValueRef::Bool(_) => 2,
        ValueRef::I64(number) => 1 + varint_length(number.cast_unsigned()),
        ValueRef::F64(_) => 9,
        ValueRef::Text(text) => field_length(limits.cut(text).len()),
        ValueRef::Array(_) | ValueRef::Unknown => {
            // The length of the value is known when it is written.
            return writer.message(field, |writer| {
                writer.text(1, key);
                writer.message(2, |writer| write_value(writer, value, limits));
            });
        }
    };
    let key_length = if key.is_empty() { 0 } else { field_length(key.len()) };
    writer.head(field, key_length + field_length(value_length));
    writer.text(1, key);
    writer.head(2, value_length);
    write_value(writer, value, limits);
}

/// Writes the field of an `AnyValue` message. A value that is empty or zero is written too.
#[inline]
fn write_value(writer: &mut Writer<'_>, value: ValueRef<'_>, limits: &Limits) {
    match value {
        ValueRef::Bool(flag) => boolean(writer, flag),
        ValueRef::I64(number) => integer(writer, number),
        ValueRef::F64(number) => float(writer, number),
        ValueRef::Text(text) => string(writer, limits.cut(text)),
        ValueRef::Array(array) => write_array(writer, array, limits),
        ValueRef::Unknown => {}
    }
}

fn write_array(writer: &mut Writer<'_>, array: &Array, limits: &Limits) {
    writer.message(5, |writer| match array {
        Array::String(texts) => {
            each(writer, texts, |writer, text| string(writer, limits.cut(text.as_str())));
        }
        Array::Bool(flags) => each(writer, flags, |writer, flag| boolean(writer, *flag)),
        Array::I64(numbers) => each(writer, numbers, |writer, number| integer(writer, *number)),
        Array::F64(numbers) => each(writer, numbers, |writer, number| float(writer, *number)),
        // Of a kind that a later version of OpenTelemetry's API adds.
        _ => {}
    });
}

fn each<T>(writer: &mut Writer<'_>, values: &[T], write: impl Fn(&mut Writer<'_>, &T)) {
    for value in values {
        writer.message(1, |writer| write(writer, value));
    }
}

#[inline]
fn string(writer: &mut Writer<'_>, text: &str) {
    writer.bytes(1, text.as_bytes());
}

fn boolean(writer: &mut Writer<'_>, flag: bool) {
    writer.key(2, VARINT);
    writer.varint(flag.into());
}

#[inline]
fn integer(writer: &mut Writer<'_>, number: i64) {
    writer.key(3, VARINT);
    writer.varint(number.cast_unsigned());
}

fn float(writer: &mut Writer<'_>, number: f64) {
    writer.key(4, FIXED64);
    writer.raw(&number.to_le_bytes());
}
