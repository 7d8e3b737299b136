//! Attribute values: what a type records as, and the list a span starts with.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt::{Arguments, Debug, Display, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Array, KeyValue, StringValue, Value};

/// A type whose values can be recorded as a span attribute.
///
/// Numbers, booleans and strings keep their type, and so do slices, arrays and vectors of them;
/// integers that do not fit an `i64` become strings; a [`Duration`] becomes seconds; addresses,
/// `url::Url` and `uuid::Uuid` (features `url` and `uuid`) become text; `None` records nothing. For
/// any other type write `key = %value` (its `Display`) or `key = ?value` (its `Debug`), or implement
/// this trait.
///
/// ```
/// use spandrel::{ToAttribute, Value};
///
/// struct Celsius(f64);
///
/// impl ToAttribute for Celsius {
///     fn to_attribute(&self) -> Option<Value> {
///         self.0.to_attribute()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an attribute value",
    label = "not an attribute value",
    note = "write `key = %value` to record its `Display`, or `key = ?value` to record its `Debug`",
    note = "or implement `spandrel::ToAttribute` for it"
)]
pub trait ToAttribute {
    /// The value to record; `None` records nothing.
    fn to_attribute(&self) -> Option<Value>;
}

/// The attributes that a span is given when it starts, or for the value it comes to.
#[derive(Debug, Default)]
pub struct Attributes(Vec<KeyValue>);

impl Attributes {
    /// Records a value under a key.
    pub fn set<T: ToAttribute + ?Sized>(&mut self, key: &'static str, value: &T) {
        if let Some(value) = value.to_attribute() {
            self.0.push(KeyValue::new(key, value));
        }
    }

    /// Records a value's `Display` under a key.
    pub fn set_display<T: Display + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.0.push(KeyValue::new(key, text(format_args!("{value}"))));
    }

    /// Records a value's `Debug` under a key.
    pub fn set_debug<T: Debug + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.0.push(KeyValue::new(key, text(format_args!("{value:?}"))));
    }

    /// Makes room for so many, if it is known how many there will be.
    pub fn reserve(&mut self, attributes: usize) {
        self.0.reserve_exact(attributes);
    }

    pub(crate) fn into_vec(self) -> Vec<KeyValue> {
        self.0
    }
}

/// As `to_string`, but a `Display` that fails ends the text and nothing else.
pub(crate) fn text(arguments: Arguments<'_>) -> String {
    let mut text = String::new();
    let _ = text.write_fmt(arguments);
    text
}

/// Leaves one attribute a key, as the specification wants it: the last value, in the first place.
/// The SDK keeps whatever it is given.
pub(crate) fn keep_last(attributes: &mut Vec<KeyValue>) {
    if all_differ(attributes) {
        return;
    }
    let mut places = HashMap::new();
    for attribute in std::mem::take(attributes) {
        let place = *places.entry(attribute.key.clone()).or_insert(attributes.len());
        match attributes.get_mut(place) {
            Some(earlier) => *earlier = attribute,
            None => attributes.push(attribute),
        }
    }
}

/// Whether all keys differ, as they nearly always do. Of more than a few only those are compared
/// whose marks meet.
fn all_differ(attributes: &[KeyValue]) -> bool {
    let is_new = |index: usize| {
        let (earlier, rest) = attributes.split_at(index);
        earlier.iter().all(|earlier| earlier.key != rest[0].key)
    };
    if attributes.len() <= FEW {
        return (1..attributes.len()).all(is_new);
    }
    let mut met = [0_u64; MARKS / 64];
    attributes.len() <= MARKS / 8
        && attributes.iter().enumerate().all(|(index, attribute)| {
            let mark = mark(attribute.key.as_str());
            let (word, bit) = (&mut met[mark / 64], 1 << (mark % 64));
            let meets = *word & bit != 0;
            *word |= bit;
            !meets || is_new(index)
        })
}

const FEW: usize = 4;
const MARKS: usize = 1 << 10;

/// One of [`MARKS`], by its length, and its first and last bytes.
fn mark(key: &str) -> usize {
    let bytes = key.as_bytes();
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
        }
        _ => bytes.iter().fold(0, |ends, byte| ends << 8 | u64::from(*byte)),
    };
    // Fibonacci hashing: the highest bits are mixed best.
    let mixed = (ends ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (64 - MARKS.ilog2())).unwrap_or_default()
}

/// Leaves this many characters of each text.
#[cfg(feature = "app")]
pub(crate) fn shorten(attributes: &mut [KeyValue], length: usize) {
    let short = |text: &mut StringValue| {
        if let Some((end, _)) = text.as_str().char_indices().nth(length) {
            *text = text.as_str()[..end].to_owned().into();
        }
    };
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => short(text),
            Value::Array(Array::String(texts)) => texts.iter_mut().for_each(short),
            _ => {}
        }
    }
}

/// What slices, arrays and vectors of a type record as: a typed array.
#[diagnostic::on_unimplemented(
    message = "a list of `{Self}` is not an attribute value",
    note = "lists of booleans, numbers and strings are; write `key = ?value` to record its `Debug`"
)]
trait Scalar {
    fn array<'a>(values: impl Iterator<Item = &'a Self> + Clone) -> Array
    where
        Self: 'a;
}

macro_rules! scalars {
    ($($ty:ty => $variant:ident($value:ident => $convert:expr);)*) => {$(
        impl ToAttribute for $ty {
            fn to_attribute(&self) -> Option<Value> {
                let $value = self;
                Some(Value::$variant($convert))
            }
        }

        impl Scalar for $ty {
            fn array<'a>(values: impl Iterator<Item = &'a Self> + Clone) -> Array
            where
                Self: 'a,
            {
                Array::$variant(values.map(|$value| $convert).collect())
            }
        }
    )*};
}

scalars! {
    bool => Bool(value => *value);
    i8 => I64(value => (*value).into());
    i16 => I64(value => (*value).into());
    i32 => I64(value => (*value).into());
    i64 => I64(value => *value);
    u8 => I64(value => (*value).into());
    u16 => I64(value => (*value).into());
    u32 => I64(value => (*value).into());
    f32 => F64(value => (*value).into());
    f64 => F64(value => *value);
    char => String(value => value.to_string().into());
    String => String(value => value.clone().into());
    Cow<'_, str> => String(value => value.clone().into_owned().into());
}

impl Scalar for str {
    fn array<'a>(values: impl Iterator<Item = &'a Self> + Clone) -> Array {
        strings(values)
    }
}

impl<T: Scalar + ?Sized> Scalar for &T {
    fn array<'a>(values: impl Iterator<Item = &'a Self> + Clone) -> Array
    where
        Self: 'a,
    {
        T::array(values.copied())
    }
}

fn strings<'a, T: ToString + ?Sized + 'a>(values: impl Iterator<Item = &'a T>) -> Array {
    Array::String(values.map(|value| StringValue::from(value.to_string())).collect())
}

macro_rules! wide_integers {
    ($($ty:ty)*) => {$(
        impl ToAttribute for $ty {
            fn to_attribute(&self) -> Option<Value> {
                Some(i64::try_from(*self).map_or_else(|_| self.to_string().into(), Value::I64))
            }
        }

        impl Scalar for $ty {
            /// One type for all of them: strings when there is one that does not fit.
            fn array<'a>(values: impl Iterator<Item = &'a Self> + Clone) -> Array {
                let fit: Result<_, _> =
                    values.clone().map(|value| i64::try_from(*value)).collect();
                fit.map_or_else(|_| strings(values), Array::I64)
            }
        }
    )*};
}

wide_integers!(u64 usize isize u128 i128);

macro_rules! non_zero {
    ($($ty:ty)*) => {$(
        impl ToAttribute for NonZero<$ty> {
            fn to_attribute(&self) -> Option<Value> {
                self.get().to_attribute()
            }
        }
    )*};
}

non_zero!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! by_display {
    ($($ty:ty)*) => {$(
        impl ToAttribute for $ty {
            fn to_attribute(&self) -> Option<Value> {
                Some(self.to_string().into())
            }
        }
    )*};
}

by_display!(str IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6);
#[cfg(feature = "url")]
by_display!(url::Url);
#[cfg(feature = "uuid")]
by_display!(uuid::Uuid);

macro_rules! by_reference {
    ($($ty:ty)*) => {$(
        impl<T: ToAttribute + ?Sized> ToAttribute for $ty {
            fn to_attribute(&self) -> Option<Value> {
                (**self).to_attribute()
            }
        }
    )*};
}

by_reference!(&T &mut T Box<T> Rc<T> Arc<T>);

impl<T: ToAttribute> ToAttribute for Option<T> {
    fn to_attribute(&self) -> Option<Value> {
        self.as_ref()?.to_attribute()
    }
}

impl ToAttribute for Duration {
    fn to_attribute(&self) -> Option<Value> {
        Some(self.as_secs_f64().into())
    }
}

macro_rules! lossy {
    ($($ty:ty)*) => {$(
        impl ToAttribute for $ty {
            fn to_attribute(&self) -> Option<Value> {
                let text: &OsStr = self.as_ref();
                Some(text.to_string_lossy().into_owned().into())
            }
        }
    )*};
}

lossy!(Path PathBuf OsStr OsString);

impl ToAttribute for Value {
    fn to_attribute(&self) -> Option<Value> {
        Some(self.clone())
    }
}

impl<T: Scalar> ToAttribute for [T] {
    fn to_attribute(&self) -> Option<Value> {
        Some(Value::Array(T::array(self.iter())))
    }
}

impl<T: Scalar> ToAttribute for Vec<T> {
    fn to_attribute(&self) -> Option<Value> {
        self.as_slice().to_attribute()
    }
}

impl<T: Scalar, const N: usize> ToAttribute for [T; N] {
    fn to_attribute(&self) -> Option<Value> {
        self.as_slice().to_attribute()
    }
}

/// What protobuf's JSON mapping writes in place of a double that JSON has no number for.
#[cfg(any(feature = "json", feature = "logs"))]
pub(crate) fn not_finite(number: f64) -> Option<&'static str> {
    match number {
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        number => number.is_nan().then_some("NaN"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The same by the specification's words.
    fn kept(attributes: &[KeyValue]) -> Vec<KeyValue> {
        let mut kept: Vec<KeyValue> = Vec::new();
        for attribute in attributes {
            match kept.iter_mut().find(|earlier| earlier.key == attribute.key) {
                Some(earlier) => earlier.value = attribute.value.clone(),
                None => kept.push(attribute.clone()),
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn the_last_value_of_a_key_is_kept(
            pairs in vec(("[ab]{0,4}|http[.][a-z]{8,12}[.]name", any::<i64>()), 0..200)
        ) {
            let mut attributes: Vec<_> =
                pairs.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
            let kept = kept(&attributes);
            keep_last(&mut attributes);
            prop_assert_eq!(attributes, kept);
        }
    }
}
