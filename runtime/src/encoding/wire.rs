//! Protobuf's wire format.

use std::ops::Range;

pub(crate) const VARINT: u32 = 0;
pub(crate) const FIXED64: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;
const FIXED32: u32 = 5;

/// The number of the field of a `Span` message that has the name.
pub(crate) const SPAN_NAME: u32 = 5;

/// A message that is being written. Fields that are empty or zero are left out, as in version 3 of
/// the language.
pub(crate) struct Writer<'a>(&'a mut Vec<u8>);

#[allow(
    clippy::inline_always,
    reason = "most of what a span costs; a call costs more than what is called"
)]
impl<'a> Writer<'a> {
    /// Writes behind what is there.
    pub(crate) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Bytes that are encoded already.
    #[inline(always)]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    #[inline(always)]
    pub(crate) fn varint(&mut self, value: u64) {
        let [low, rest @ ..] = value.to_le_bytes();
        if low < 0x80 && rest == [0; 7] {
            self.0.push(low);
        } else {
            self.long_varint(value);
        }
    }

    #[cold]
    fn long_varint(&mut self, value: u64) {
        let (bytes, length) = varint(value);
        self.0.extend_from_slice(&bytes[..length]);
    }

    #[inline(always)]
    pub(crate) fn key(&mut self, field: u32, wire_type: u32) {
        self.varint((field << 3 | wire_type).into());
    }

    /// What stands before a field with so many bytes.
    #[inline(always)]
    pub(crate) fn head(&mut self, field: u32, length: usize) {
        let key = field << 3 | LENGTH_DELIMITED;
        match (u8::try_from(key), u8::try_from(length)) {
            (Ok(key @ ..0x80), Ok(length @ ..0x80)) => self.raw(&[key, length]),
            _ => self.long_head(key, length),
        }
    }

    #[cold]
    fn long_head(&mut self, key: u32, length: usize) {
        self.varint(key.into());
        self.varint(length as u64);
    }

    /// Whatever is in them.
    #[inline(always)]
    pub(crate) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.head(field, bytes.len());
        self.raw(bytes);
    }

    #[inline(always)]
    pub(crate) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    #[inline]
    pub(crate) fn varint_field(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, VARINT);
            self.varint(value);
        }
    }

    #[inline]
    pub(crate) fn fixed64(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, FIXED64);
            self.raw(&value.to_le_bytes());
        }
    }

    pub(crate) fn fixed32(&mut self, field: u32, value: u32) {
        if value != 0 {
            self.key(field, FIXED32);
            self.raw(&value.to_le_bytes());
        }
    }

    /// Its length stands before it, and is known after it: most are short, and have one byte for it.
    #[inline]
    pub(crate) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, LENGTH_DELIMITED);
        let place = self.0.len();
        self.0.push(0);
        write(self);
        let (bytes, length) = varint((self.0.len() - place - 1) as u64);
        if length == 1 {
            self.0[place] = bytes[0];
        } else {
            self.0.splice(place..=place, bytes[..length].iter().copied());
        }
    }
}

/// Seven bits a byte, the last ones first; and how many bytes it has.
#[cold]
fn varint(mut value: u64) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    let mut length = 0;
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        bytes[length] = if value == 0 { low } else { low | 0x80 };
        length += 1;
        if value == 0 {
            return (bytes, length);
        }
    }
}

/// How many bytes a field takes that has so many bytes inside, where the number of the field is below 16.
#[cfg(feature = "_otlp")]
#[inline]
pub(crate) fn field_length(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}

/// How many bytes a number takes.
#[inline]
pub(crate) fn varint_length(value: u64) -> usize {
    let bits = (u64::BITS - (value | 1).leading_zeros()) as usize;
    bits.div_ceil(7)
}

/// The value of a field that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// The fields of a message, each with its number, up to the end or to the first byte that is no part of one.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = (u32, Field<'_>)> {
    fields_at(message).map(|(number, field, _)| (number, field))
}

/// The same, each with its place in the message.
pub(crate) fn fields_at(message: &[u8]) -> impl Iterator<Item = (u32, Field<'_>, Range<usize>)> {
    let length = message.len();
    let mut rest = message;
    std::iter::from_fn(move || {
        let start = length - rest.len();
        let key = u32::try_from(take_varint(&mut rest)?).ok()?;
        let field = match key & 7 {
            VARINT => Field::Varint(take_varint(&mut rest)?),
            FIXED64 => Field::Fixed64(u64::from_le_bytes(*take(&mut rest)?)),
            LENGTH_DELIMITED => {
                let length = usize::try_from(take_varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Field::Bytes(bytes)
            }
            FIXED32 => Field::Fixed32(u32::from_le_bytes(*take(&mut rest)?)),
            _ => return None,
        };
        Some((key >> 3, field, start..length - rest.len()))
    })
}

fn take<'a, const N: usize>(message: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, rest) = message.split_first_chunk()?;
    *message = rest;
    Some(bytes)
}

fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(message)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        writer.varint_field(1, u64::MAX);
        writer.fixed64(2, 7);
        writer.message(300, |writer| writer.text(1, &"text".repeat(100)));
        writer.fixed32(4, 9);
        let read: Vec<_> = fields(&bytes).collect();
        let [
            (1, Field::Varint(u64::MAX)),
            (2, Field::Fixed64(7)),
            (300, Field::Bytes(inner)),
            (4, Field::Fixed32(9)),
        ] = read[..]
        else {
            panic!("{read:?}")
        };
        assert!(matches!(fields(inner).next(), Some((1, Field::Bytes(text))) if text.len() == 400));
    }

    #[cfg(feature = "_otlp")]
    #[test]
    fn the_length_of_a_field_is_known_before_it_is_written() {
        for length in [0, 1, 2, 127, 128, 16_383, 16_384] {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes).bytes(1, &vec![0; length]);
            assert_eq!(field_length(length), bytes.len());
        }
    }

    #[test]
    fn reading_ends_where_bytes_are_missing_or_wrong() {
        for (bytes, count) in [
            (&[][..], 0),
            (&[0x08], 0),
            (&[0x08, 0x80], 0),
            (&[0x08, 0x01, 0x0a, 0x02, 0x00], 1),
            (&[0x08, 0x01, 0x09, 0, 0, 0], 1),
            (&[0x0f, 0x01], 0),
            (&[0xff; 20], 0),
        ] {
            assert_eq!(fields(bytes).count(), count, "{bytes:?}");
        }
    }
}
