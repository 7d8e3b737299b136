//! Groups of attributes.

#[cfg(feature = "async-nats")]
mod async_nats;
#[cfg(feature = "lapin")]
mod lapin;
#[cfg(any(feature = "async-nats", feature = "lapin", feature = "rdkafka", feature = "redis"))]
mod messages;
#[cfg(feature = "rdkafka")]
mod rdkafka;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
mod server_address;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::Arc;

use opentelemetry::KeyValue;

use super::{Attributes, ToAttribute};
pub use server_address::ServerAddress;

/// A group of attributes, each with its key: `..group` in an attribute records all of them.
///
/// [`#[derive(ToAttributes)]`](macro@crate::ToAttributes) implements it for a struct, one attribute for each field. It is
/// implemented for [`KeyValue`], for pairs of a key (text, or OpenTelemetry's `Key`) and a [`ToAttribute`] value, for lists
/// and maps of these, for references to a group, and for an `Option` of one: `None` records nothing, and so does `()`. The features
/// `reqwest`, `rdkafka`, `lapin`, `async-nats` and `redis` implement it for requests and messages of these crates, and [`ServerAddress`]
/// is a group.
///
/// An attribute with a key of its own (`key = value`) wins over one of a group, and a later group over an earlier one. A
/// value that is `None` records nothing, and so leaves the group's.
///
/// ```
/// use spandrel::{Attributes, ToAttributes, span, testing};
///
/// struct Tenant {
///     id: u64,
///     plan: &'static str,
/// }
///
/// impl ToAttributes for Tenant {
///     fn to_attributes(&self, attributes: &mut Attributes) {
///         attributes.set("tenant.id", &self.id);
///         attributes.set("tenant.plan", self.plan);
///     }
/// }
///
/// #[span("serve", ..tenant)]
/// fn serve(tenant: &Tenant) {}
///
/// let recording = testing::record(|| serve(&Tenant { id: 7, plan: "free" }));
/// assert_eq!(recording.to_string(), "serve tenant.id=7 tenant.plan=\"free\"\n");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of attributes",
    label = "not a group of attributes",
    note = "write `#[derive(spandrel::ToAttributes)]` on the struct, or implement `spandrel::ToAttributes` for it",
    note = "a single value has a key: write `key = value`"
)]
pub trait ToAttributes {
    /// Records the attributes.
    fn to_attributes(&self, attributes: &mut Attributes);
}

impl ToAttributes for () {
    fn to_attributes(&self, _: &mut Attributes) {}
}

impl ToAttributes for KeyValue {
    fn to_attributes(&self, attributes: &mut Attributes) {
        attributes.push(self.key.as_str(), (&self.value).into());
    }
}

impl<K: AsRef<str>, V: ToAttribute> ToAttributes for (K, V) {
    fn to_attributes(&self, attributes: &mut Attributes) {
        let (key, value) = self;
        attributes.set(key.as_ref(), value);
    }
}

impl<T: ToAttributes> ToAttributes for [T] {
    fn to_attributes(&self, attributes: &mut Attributes) {
        for group in self {
            group.to_attributes(attributes);
        }
    }
}

impl<T: ToAttributes, const N: usize> ToAttributes for [T; N] {
    fn to_attributes(&self, attributes: &mut Attributes) {
        self.as_slice().to_attributes(attributes);
    }
}

impl<T: ToAttributes> ToAttributes for Vec<T> {
    fn to_attributes(&self, attributes: &mut Attributes) {
        self.as_slice().to_attributes(attributes);
    }
}

impl<K: AsRef<str>, V: ToAttribute> ToAttributes for BTreeMap<K, V> {
    fn to_attributes(&self, attributes: &mut Attributes) {
        for pair in self {
            pair.to_attributes(attributes);
        }
    }
}

impl<K: AsRef<str>, V: ToAttribute, S: BuildHasher> ToAttributes for HashMap<K, V, S> {
    fn to_attributes(&self, attributes: &mut Attributes) {
        for pair in self {
            pair.to_attributes(attributes);
        }
    }
}

impl<T: ToAttributes> ToAttributes for Option<T> {
    fn to_attributes(&self, attributes: &mut Attributes) {
        if let Some(group) = self {
            group.to_attributes(attributes);
        }
    }
}

macro_rules! by_reference {
    ($($ty:ty)*) => {$(
        impl<T: ToAttributes + ?Sized> ToAttributes for $ty {
            fn to_attributes(&self, attributes: &mut Attributes) {
                (**self).to_attributes(attributes);
            }
        }
    )*};
}

by_reference!(&T &mut T Box<T> Rc<T> Arc<T>);
