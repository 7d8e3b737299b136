//! Attribute values, borrowed, on their way into bytes.

use opentelemetry::{Array, Value};

use super::key::Key;
use super::limits::Limits;
use super::wire::{FIXED64, VARINT, Writer, varint_length};

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

impl ValueRef<'_> {
    /// An owned one.
    pub(crate) fn to_value(self) -> Option<Value> {
        Some(match self {
            Self::Bool(flag) => Value::Bool(flag),
            Self::I64(number) => Value::I64(number),
            Self::F64(number) => Value::F64(number),
            Self::Text(text) => Value::String(text.to_owned().into()),
            Self::Array(array) => Value::Array(array.clone()),
            Self::Unknown => return None,
        })
    }
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

/// Writes an attribute as a field that is a `KeyValue` message. The field's number is below 16.
#[inline]
pub(crate) fn write_attribute(
    writer: &mut Writer<'_>,
    field: u32,
    key: &str,
    value: ValueRef<'_>,
    limits: &Limits,
) {
    if !write_short(writer, field, key, value, limits) {
        write_long(writer, field, key, value, limits);
    }
}

/// Writes the attribute of a span, if its key and its value are short, as most are: they are most of what a span costs.
#[allow(clippy::inline_always, reason = "callers know the kind of the value")]
#[inline(always)]
pub(crate) fn write_prepared(
    bytes: &mut Vec<u8>,
    key: &Key<'_>,
    value: ValueRef<'_>,
    limits: &Limits,
) -> bool {
    /// A prepared key and a text of this length fit into a message of less than 128 bytes.
    const SHORT: usize = 80;
    const VALUE: u8 = 2 << 3 | 2;

    if !key.is_encoded() {
        return false;
    }
    match value {
        ValueRef::I64(small @ 0..0x80) => {
            key.write(bytes, [VALUE, 2, 3 << 3, small.to_le_bytes()[0]], 4);
        }
        ValueRef::Text(text) => {
            let text = limits.cut(text);
            if text.len() > SHORT {
                return false;
            }
            let length = text.len().to_le_bytes()[0];
            key.write(bytes, [VALUE, 2 + length, 1 << 3 | 2, length], 4);
            bytes.extend_from_slice(text.as_bytes());
        }
        ValueRef::Bool(flag) => key.write(bytes, [VALUE, 2, 2 << 3, flag.into()], 4),
        ValueRef::F64(number) => {
            key.write(bytes, [VALUE, 9, 4 << 3 | 1, 0], 3);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        ValueRef::I64(_) | ValueRef::Array(_) | ValueRef::Unknown => return false,
    }
    true
}

#[cold]
fn write_long(
    writer: &mut Writer<'_>,
    field: u32,
    key: &str,
    value: ValueRef<'_>,
    limits: &Limits,
) {
    writer.message(field, |writer| {
        writer.text(1, key);
        writer.message(2, |writer| write_value(writer, value, limits));
    });
}

fn byte(length: usize) -> u8 {
    length.to_le_bytes()[0]
}

/// What comes before the value's message, in an attribute whose message has less than 128 bytes.
#[inline]
fn write_short_head(writer: &mut Writer<'_>, field: u32, key: &str, value_length: u8) {
    const KEY: u8 = 1 << 3 | 2;

    let key_length = byte(key.len());
    writer.raw(&[byte((field << 3 | 2) as usize), 4 + key_length + value_length, KEY, key_length]);
    writer.raw(key.as_bytes());
}

/// Writes the attribute if all lengths in it are short, as most are: they are most of what a span costs.
#[inline]
fn write_short(
    writer: &mut Writer<'_>,
    field: u32,
    key: &str,
    value: ValueRef<'_>,
    limits: &Limits,
) -> bool {
    /// A key and a text of this length fit into a message of less than 128 bytes.
    const SHORT: usize = 56;
    const VALUE: u8 = 2 << 3 | 2;

    if key.is_empty() || key.len() > SHORT {
        return false;
    }
    match value {
        ValueRef::I64(number @ 0..0x80) => {
            write_short_head(writer, field, key, 2);
            writer.raw(&[VALUE, 2, 3 << 3, number.to_le_bytes()[0]]);
        }
        ValueRef::Text(text) => {
            let text = limits.cut(text);
            if text.len() > SHORT {
                return false;
            }
            let length = byte(text.len());
            write_short_head(writer, field, key, 2 + length);
            writer.raw(&[VALUE, 2 + length, 1 << 3 | 2, length]);
            writer.raw(text.as_bytes());
        }
        ValueRef::Bool(flag) => {
            write_short_head(writer, field, key, 2);
            writer.raw(&[VALUE, 2, 2 << 3, flag.into()]);
        }
        ValueRef::I64(number) => {
            let number = number.cast_unsigned();
            let length = 1 + byte(varint_length(number));
            write_short_head(writer, field, key, length);
            writer.raw(&[VALUE, length, 3 << 3]);
            writer.varint(number);
        }
        ValueRef::F64(number) => {
            write_short_head(writer, field, key, 9);
            writer.raw(&[VALUE, 9, 4 << 3 | 1]);
            writer.raw(&number.to_le_bytes());
        }
        ValueRef::Array(_) | ValueRef::Unknown => return false,
    }
    true
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
