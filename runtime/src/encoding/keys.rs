//! The keys of a span's attributes: each is written once, and the last value counts.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::key::{Key, KeyMark, KeyMarks};
use super::limits::Limits;
use super::value::{ValueRef, write_attribute, write_prepared};
use super::wire::{Field, Writer, fields, fields_at};

/// The number of the field of a span's message that is an attribute.
const ATTRIBUTE: u32 = 9;

/// The attributes among some fields, as far as the next one must know of them.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    count: u32,
    /// The keys that there was no room for.
    dropped: Option<Box<DroppedKeys>>,
    /// Only keys that share a mark are compared.
    marks: KeyMarks,
}

/// Keys that there was no room for: each counts once, however often it is set.
#[derive(Debug, Default)]
struct DroppedKeys {
    hashes: HashSet<u64>,
    /// How many were set when there were too many to tell apart.
    more: u32,
}

impl DroppedKeys {
    /// How many are told apart.
    const MOST: usize = 4096;

    fn insert(&mut self, key: &str) {
        if self.hashes.len() < Self::MOST {
            self.hashes.insert(hash(key));
        } else if !self.hashes.contains(&hash(key)) {
            self.more = self.more.saturating_add(1);
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.hashes.len()).unwrap_or(u32::MAX).saturating_add(self.more)
    }
}

/// A hash of a text, for this process.
pub(crate) fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}

impl Keys {
    /// Writes an attribute behind these fields, or in the place of the one that has its key.
    #[inline(never)]
    pub(crate) fn set(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
        key: &str,
        value: ValueRef<'_>,
        limits: &Limits,
    ) {
        let mark = KeyMark::of(key);
        if self.marks.contain(mark) && replace(bytes, start, key, value, limits) {
            return;
        }
        if self.count >= limits.attributes {
            self.dropped.get_or_insert_default().insert(key);
            return;
        }
        self.marks.insert(mark);
        self.count += 1;
        write_attribute(&mut Writer::new(bytes), ATTRIBUTE, key, value, limits);
    }

    /// The same, with a key that is prepared.
    #[allow(clippy::inline_always, reason = "callers know the kind of the value")]
    #[inline(always)]
    pub(crate) fn set_prepared(
        &mut self,
        bytes: &mut Vec<u8>,
        start: usize,
        key: &Key<'_>,
        value: ValueRef<'_>,
        limits: &Limits,
    ) {
        if self.marks.contain(key.mark) || self.count >= limits.attributes {
            self.set(bytes, start, key.text, value, limits);
            return;
        }
        self.marks.insert(key.mark);
        self.count += 1;
        if !write_prepared(bytes, key, value, limits) {
            write_unprepared(bytes, key, value, limits);
        }
    }

    /// Writes attributes that are encoded already, with these keys, behind fields that do not have them. The caller has
    /// checked the limits.
    pub(crate) fn append<const N: usize>(
        &mut self,
        bytes: &mut Vec<u8>,
        encoded: &[u8],
        keys: [&Key<'_>; N],
    ) {
        for key in keys {
            self.marks.insert(key.mark);
            self.count += 1;
        }
        bytes.extend_from_slice(encoded);
    }

    /// How many there was no room for.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped.as_ref().map_or(0, |dropped| dropped.count())
    }

    /// Whether one of these fields may be an attribute with this key.
    pub(crate) fn may_have(&self, key: KeyMark) -> bool {
        self.marks.contain(key)
    }

    /// Whether one of these fields is an attribute with this key.
    pub(crate) fn have(&self, key: &str, message: &[u8]) -> bool {
        self.may_have(KeyMark::of(key))
            && fields(message).any(|(number, field)| is_attribute(number, &field, key))
    }
}

#[cold]
fn write_unprepared(bytes: &mut Vec<u8>, key: &Key<'_>, value: ValueRef<'_>, limits: &Limits) {
    write_attribute(&mut Writer::new(bytes), ATTRIBUTE, key.text, value, limits);
}

/// Whether one of these fields is an attribute with this key; it has this value then.
#[cold]
fn replace(
    bytes: &mut Vec<u8>,
    start: usize,
    key: &str,
    value: ValueRef<'_>,
    limits: &Limits,
) -> bool {
    let found = fields_at(&bytes[start..])
        .find(|(number, field, _)| is_attribute(*number, field, key))
        .map(|(_, _, place)| start + place.start..start + place.end);
    let Some(place) = found else { return false };
    let mut field = Vec::new();
    write_attribute(&mut Writer::new(&mut field), ATTRIBUTE, key, value, limits);
    bytes.splice(place, field);
    true
}

/// Whether a field of a span is the attribute with this key.
fn is_attribute(number: u32, field: &Field<'_>, key: &str) -> bool {
    number == ATTRIBUTE && matches!(field, Field::Bytes(pair) if key_of(pair) == key.as_bytes())
}

/// The key of a `KeyValue` message.
fn key_of(pair: &[u8]) -> &[u8] {
    match fields(pair).next() {
        Some((1, Field::Bytes(key))) => key,
        _ => b"",
    }
}
