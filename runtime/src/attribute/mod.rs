//! Attribute values: what a type records as, and the list a span starts with.

mod groups;
mod location;
#[cfg_attr(
    not(feature = "app"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "`Config` sets the function")
)]
pub(crate) mod redact;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::{Arguments, Debug, Display, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Array, KeyValue, StringValue, Value};

use crate::encoding::{Field, Key, Keys, Limits, SPAN_NAME, ValueRef, Writer, attributes, fields};
pub use groups::{ServerAddress, ToAttributes};
pub(crate) use location::Location;

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

    /// Records the value under a key. The types of this crate's own need no [`Value`] for that.
    #[doc(hidden)]
    fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
        if let Some(value) = self.to_attribute() {
            attributes.set_value(key, (&value).into());
        }
    }
}

/// The attributes that a span is given when it starts, or for the value it comes to.
#[derive(Debug, Default)]
pub struct Attributes {
    /// Fields of a span's message in the encoding of OTLP, behind what else is known of the span.
    bytes: Vec<u8>,
    /// Where the fields begin.
    start: usize,
    keys: Keys,
    limits: Limits,
    /// Whether the program's function sees each attribute first.
    is_redacted: bool,
    /// Whether a name is among the fields.
    is_renamed: bool,
}

impl Attributes {
    /// For a span with these limits, whose record begins with these bytes. The fields of its message begin at `start`.
    pub(crate) fn of_record(bytes: Vec<u8>, start: usize, limits: Limits) -> Self {
        Self {
            bytes,
            start,
            keys: Keys::default(),
            limits,
            is_redacted: redact::is_set(),
            is_renamed: false,
        }
    }

    /// Records a value under a key.
    #[inline]
    pub fn set<T: ToAttribute + ?Sized>(&mut self, key: &str, value: &T) {
        self.record(&Key::new(key), value);
    }

    /// The same, with a key that is a constant.
    #[doc(hidden)]
    #[inline]
    pub fn record<T: ToAttribute + ?Sized>(&mut self, key: &Key<'_>, value: &T) {
        value.add_to(self, key);
    }

    /// Records a value's `Display` under a key.
    pub fn set_display<T: Display + ?Sized>(&mut self, key: &str, value: &T) {
        self.push(key, ValueRef::Text(&text(format_args!("{value}"))));
    }

    /// Records a value's `Debug` under a key.
    pub fn set_debug<T: Debug + ?Sized>(&mut self, key: &str, value: &T) {
        self.push(key, ValueRef::Text(&text(format_args!("{value:?}"))));
    }

    /// Records a group of attributes.
    pub fn set_all<T: ToAttributes + ?Sized>(&mut self, group: &T) {
        group.to_attributes(self);
    }

    /// The name of the span that starts, in place of its callsite's.
    // A second field with the name: of a field that is there twice, protobuf takes the last.
    pub(crate) fn rename(&mut self, name: impl AsRef<str>) {
        // A span without a name cannot be found: the callsite's stays.
        if !name.as_ref().trim().is_empty() {
            Writer::new(&mut self.bytes).text(SPAN_NAME, name.as_ref());
            self.is_renamed = true;
        }
    }

    /// The name that was given.
    pub(crate) fn name(&self) -> Option<String> {
        if !self.is_renamed {
            return None;
        }
        let names = fields(&self.bytes[self.start..]).filter_map(|(number, field)| match field {
            Field::Bytes(name) if number == SPAN_NAME => {
                Some(String::from_utf8_lossy(name).into_owned())
            }
            _ => None,
        });
        names.last()
    }

    /// Makes room for so many, if it is known how many there will be.
    pub fn reserve(&mut self, attributes: usize) {
        /// What most attributes take.
        const BYTES: usize = 24;

        self.bytes.reserve(attributes.saturating_mul(BYTES));
    }

    /// Records a value under a key, in the place of an earlier one.
    #[inline]
    pub(crate) fn push(&mut self, key: &str, value: ValueRef<'_>) {
        if self.is_redacted {
            return self.push_redacted(key, value);
        }
        self.keys.set(&mut self.bytes, self.start, key, value, &self.limits);
    }

    #[cold]
    fn push_redacted(&mut self, key: &str, value: ValueRef<'_>) {
        redact::value(key, value, |value| {
            self.keys.set(&mut self.bytes, self.start, key, value, &self.limits);
        });
    }

    /// Records a value under a key, unless there is one.
    pub(crate) fn push_unless_set(&mut self, key: &str, value: ValueRef<'_>) {
        if !self.keys.have(key, &self.bytes[self.start..]) {
            self.push(key, value);
        }
    }

    #[allow(clippy::inline_always, reason = "callers know the kind of the value")]
    #[inline(always)]
    fn set_value(&mut self, key: &Key<'_>, value: ValueRef<'_>) {
        if self.is_redacted {
            return self.push_redacted(key.text, value);
        }
        self.keys.set_prepared(&mut self.bytes, self.start, key, value, &self.limits);
    }

    // These are not generic, so that they are compiled once each, for their kind of value.

    #[inline(never)]
    fn set_bool(&mut self, key: &Key<'_>, value: bool) {
        self.set_value(key, ValueRef::Bool(value));
    }

    #[inline(never)]
    fn set_i64(&mut self, key: &Key<'_>, value: i64) {
        self.set_value(key, ValueRef::I64(value));
    }

    #[inline(never)]
    fn set_f64(&mut self, key: &Key<'_>, value: f64) {
        self.set_value(key, ValueRef::F64(value));
    }

    #[inline(never)]
    fn set_text(&mut self, key: &Key<'_>, value: &str) {
        self.set_value(key, ValueRef::Text(value));
    }

    /// The bytes, those of the attributes last, and what is known of the keys.
    pub(crate) fn into_record(self) -> (Vec<u8>, Keys) {
        (self.bytes, self.keys)
    }

    pub(crate) fn into_vec(self) -> Vec<KeyValue> {
        attributes(&self.bytes[self.start..]).collect()
    }
}

/// As `to_string`, but a `Display` that fails ends the text and nothing else.
pub(crate) fn text(arguments: Arguments<'_>) -> String {
    /// What most texts take. One that grows is moved several times.
    const BYTES: usize = 48;

    let mut text = String::with_capacity(BYTES);
    let _ = text.write_fmt(arguments);
    text
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
    ($($ty:ty => $variant:ident($value:ident => $convert:expr), $set:ident($reference:expr);)*) => {$(
        impl ToAttribute for $ty {
            fn to_attribute(&self) -> Option<Value> {
                let $value = self;
                Some(Value::$variant($convert))
            }

            #[inline]
            fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
                let $value = self;
                attributes.$set(key, $reference);
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
    bool => Bool(value => *value), set_bool(*value);
    i8 => I64(value => (*value).into()), set_i64((*value).into());
    i16 => I64(value => (*value).into()), set_i64((*value).into());
    i32 => I64(value => (*value).into()), set_i64((*value).into());
    i64 => I64(value => *value), set_i64(*value);
    u8 => I64(value => (*value).into()), set_i64((*value).into());
    u16 => I64(value => (*value).into()), set_i64((*value).into());
    u32 => I64(value => (*value).into()), set_i64((*value).into());
    f32 => F64(value => (*value).into()), set_f64((*value).into());
    f64 => F64(value => *value), set_f64(*value);
    char => String(value => value.to_string().into()), set_text(value.encode_utf8(&mut [0; 4]));
    String => String(value => value.clone().into()), set_text(value);
    Cow<'_, str> => String(value => value.clone().into_owned().into()), set_text(value);
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

            #[inline]
            fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
                match i64::try_from(*self) {
                    Ok(number) => attributes.set_i64(key, number),
                    Err(_) => attributes.set_text(key, &self.to_string()),
                }
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

impl ToAttribute for str {
    fn to_attribute(&self) -> Option<Value> {
        Some(self.to_owned().into())
    }

    #[inline]
    fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
        attributes.set_text(key, self);
    }
}

by_display!(IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6);
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

            #[inline]
            fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
                (**self).add_to(attributes, key);
            }
        }
    )*};
}

by_reference!(&T &mut T Box<T> Rc<T> Arc<T>);

impl<T: ToAttribute> ToAttribute for Option<T> {
    fn to_attribute(&self) -> Option<Value> {
        self.as_ref()?.to_attribute()
    }

    #[inline]
    fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
        if let Some(value) = self {
            value.add_to(attributes, key);
        }
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

    fn add_to(&self, attributes: &mut Attributes, key: &Key<'_>) {
        attributes.set_value(key, self.into());
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
