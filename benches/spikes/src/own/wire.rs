//! Protobuf's wire format, for lengths that are known before and fields below the sixteenth.

pub(crate) const VARINT: u32 = 0;
pub(crate) const FIXED64: u32 = 1;
pub(crate) const LENGTH_DELIMITED: u32 = 2;
pub(crate) const FIXED32: u32 = 5;

pub(crate) trait Bytes {
    fn raw(&mut self, bytes: &[u8]);

    fn byte(&mut self, byte: u8);

    #[inline]
    fn length(&mut self, length: usize) {
        if let (0..0x80, Ok(byte)) = (length, u8::try_from(length)) {
            self.byte(byte);
        } else {
            let (bytes, count) = varint(length as u64);
            self.raw(&bytes[..count]);
        }
    }

    #[inline]
    fn field(&mut self, number: u32, bytes: &[u8]) {
        self.byte(key(number, LENGTH_DELIMITED));
        self.length(bytes.len());
        self.raw(bytes);
    }
}

impl Bytes for Vec<u8> {
    #[inline]
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.push(byte);
    }
}

pub(crate) const fn key(field: u32, wire_type: u32) -> u8 {
    let [low, ..] = (field << 3 | wire_type).to_le_bytes();
    low
}

/// Seven bits a byte, the last ones first; and how many bytes it has.
#[inline]
pub(crate) fn varint(mut value: u64) -> ([u8; 10], usize) {
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

/// A field's, with its key and its own length.
pub(crate) const fn field_length(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}

const fn varint_length(value: u64) -> usize {
    (63 - (value | 1).leading_zeros() as usize) / 7 + 1
}
