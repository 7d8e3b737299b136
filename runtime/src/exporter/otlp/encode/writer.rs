//! Protobuf's wire format.

/// A message that is being written. Fields that are empty or zero are left out, as in version 3 of
/// the language.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) const VARINT: u32 = 0;
    pub(super) const FIXED64: u32 = 1;
    const LENGTH_DELIMITED: u32 = 2;
    const FIXED32: u32 = 5;

    pub(super) fn with_room(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Bytes that are encoded already.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn varint(&mut self, value: u64) {
        let (bytes, length) = varint(value);
        self.raw(&bytes[..length]);
    }

    pub(super) fn key(&mut self, field: u32, wire_type: u32) {
        self.varint((field << 3 | wire_type).into());
    }

    /// Whatever is in them.
    pub(super) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.key(field, Self::LENGTH_DELIMITED);
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(super) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    pub(super) fn varint_field(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, Self::VARINT);
            self.varint(value);
        }
    }

    pub(super) fn fixed64(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, Self::FIXED64);
            self.raw(&value.to_le_bytes());
        }
    }

    pub(super) fn fixed32(&mut self, field: u32, value: u32) {
        if value != 0 {
            self.key(field, Self::FIXED32);
            self.raw(&value.to_le_bytes());
        }
    }

    /// Its length stands before it, and is known after it: most are short, and have one byte for it.
    #[inline]
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, Self::LENGTH_DELIMITED);
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
#[inline]
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
