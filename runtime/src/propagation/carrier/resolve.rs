//! How `#[propagate]` gets from an expression to the carrier that the expression is, or points to.
//!
//! [`extract!`](crate::__private::extract) and [`inject!`](crate::__private::inject) call a method of an
//! [`Extraction`] or an [`Injection`] behind more references than the method needs. Method resolution
//! takes the first trait below that the expression's type satisfies: the type itself, then what it
//! dereferences to. The last trait is for all types, and its bound gives the compile error.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::{Deref, DerefMut};

use opentelemetry::Context;

use super::kinds::{Extracts, Injects};
use super::{read_map, write_map};

/// The value of an expression that is extracted from.
#[derive(Debug)]
pub struct Extraction<'a, T: ?Sized>(pub &'a T);

/// The place that an expression names, which is injected into.
#[derive(Debug)]
pub struct Injection<'a, T: ?Sized>(RefCell<&'a mut T>);

impl<'a, T: ?Sized> Injection<'a, T> {
    /// The place to inject into.
    pub fn of(place: &'a mut T) -> Self {
        Self(RefCell::new(place))
    }
}

/// Every expression that names a place, by a method whose name nobody else has: a method call borrows
/// a `&mut` parameter again where it is not declared `mut`.
pub trait CarrierPlace {
    /// The place.
    fn spandrel_place(&mut self) -> &mut Self;
}

impl<T: ?Sized> CarrierPlace for T {
    fn spandrel_place(&mut self) -> &mut Self {
        self
    }
}

macro_rules! extraction {
    ($($(#[$meta:meta])* $name:ident for $probe:ty: ($($bounds:tt)*) => |$value:ident| $carrier:expr;)*) => {$(
        $(#[$meta])*
        pub trait $name<Kind> {
            /// The context in the carrier, over the current one.
            fn spandrel_extract(&self) -> Context;

            /// The same, for a link.
            fn spandrel_linked(&self) -> Vec<Context> {
                vec![self.spandrel_extract()]
            }
        }

        impl<K, T: $($bounds)* + ?Sized> $name<K> for $probe {
            fn spandrel_extract(&self) -> Context {
                let $value = self.0;
                $carrier.extracted()
            }
        }
    )*};
}

extraction! {
    /// The type is a carrier.
    ExtractsItself for &&&&&Extraction<'_, T>: (Extracts<K>) => |value| (*value);
    /// The type points to a carrier.
    Extracts1 for &&&&Extraction<'_, T>: (Deref<Target: Extracts<K>>) => |value| (**value);
    /// The type points to a pointer to a carrier.
    Extracts2 for &&&Extraction<'_, T>: (Deref<Target: Deref<Target: Extracts<K>>>)
        => |value| (***value);
    /// There is one pointer more.
    Extracts3 for &&Extraction<'_, T>: (Deref<Target: Deref<Target: Deref<Target: Extracts<K>>>>)
        => |value| (****value);
}

/// The type is a `HashMap`, in which names are found in any case.
pub trait ExtractsMap {
    /// The context in the carrier, over the current one.
    fn spandrel_extract(&self) -> Context;

    /// The same, for a link.
    fn spandrel_linked(&self) -> Vec<Context> {
        vec![self.spandrel_extract()]
    }
}

impl<S: BuildHasher> ExtractsMap for &&&&&&Extraction<'_, HashMap<String, String, S>> {
    fn spandrel_extract(&self) -> Context {
        read_map(self.0)
    }
}

impl<S: BuildHasher> ExtractsMap for &&&&&&Extraction<'_, &HashMap<String, String, S>> {
    fn spandrel_extract(&self) -> Context {
        read_map(self.0)
    }
}

impl<S: BuildHasher> ExtractsMap for &&&&&&Extraction<'_, &mut HashMap<String, String, S>> {
    fn spandrel_extract(&self) -> Context {
        read_map(self.0)
    }
}

/// Messages to link to, or other carriers, in one list.
pub trait List {
    /// What is in it.
    type Item;

    /// All of it.
    fn items(&self) -> &[Self::Item];
}

impl<M> List for [M] {
    type Item = M;

    fn items(&self) -> &[M] {
        self
    }
}

impl<M, const N: usize> List for [M; N] {
    type Item = M;

    fn items(&self) -> &[M] {
        self
    }
}

impl<M> List for Vec<M> {
    type Item = M;

    fn items(&self) -> &[M] {
        self
    }
}

impl<L: List + ?Sized> List for &L {
    type Item = L::Item;

    fn items(&self) -> &[L::Item] {
        (**self).items()
    }
}

/// The type is a list of carriers.
pub trait LinksEach<Kind> {
    /// The contexts in the carriers.
    fn spandrel_linked(&self) -> Vec<Context>;
}

impl<K, L: List<Item: Extracts<K>> + ?Sized> LinksEach<K> for &Extraction<'_, L> {
    fn spandrel_linked(&self) -> Vec<Context> {
        self.0.items().iter().map(Extracts::extracted).collect()
    }
}

/// The type is a `HashMap`, in which names are found in any case.
pub trait InjectsMap {
    /// Writes the current context into the carrier.
    fn spandrel_inject(&self);
}

impl<S: BuildHasher> InjectsMap for &&&&&Injection<'_, HashMap<String, String, S>> {
    fn spandrel_inject(&self) {
        write_map(&mut self.0.borrow_mut());
    }
}

impl<S: BuildHasher> InjectsMap for &&&&&Injection<'_, &mut HashMap<String, String, S>> {
    fn spandrel_inject(&self) {
        write_map(&mut self.0.borrow_mut());
    }
}

macro_rules! injection {
    ($($(#[$meta:meta])* $name:ident for $probe:ty: ($($bounds:tt)*) => |$value:ident| $carrier:expr;)*) => {$(
        $(#[$meta])*
        pub trait $name<Kind> {
            /// Writes the current context into the carrier.
            fn spandrel_inject(&self);
        }

        impl<K, T: $($bounds)* + ?Sized> $name<K> for $probe {
            fn spandrel_inject(&self) {
                let $value = &mut **self.0.borrow_mut();
                $carrier.inject();
            }
        }
    )*};
}

injection! {
    /// The type is a carrier.
    InjectsItself for &&&&Injection<'_, T>: (Injects<K>) => |value| (*value);
    /// The type points to a carrier.
    Injects1 for &&&Injection<'_, T>: (DerefMut<Target: Injects<K>>) => |value| (**value);
    /// The type points to a pointer to a carrier.
    Injects2 for &&Injection<'_, T>: (DerefMut<Target: DerefMut<Target: Injects<K>>>)
        => |value| (***value);
    /// There is one pointer more.
    Injects3 for &Injection<'_, T>: (DerefMut<Target: DerefMut<Target: DerefMut<Target: Injects<K>>>>)
        => |value| (****value);
}

/// A trait that no type implements: its message is the compile error for what is no carrier. The notes
/// on features are declared here, once for both directions.
macro_rules! no_carrier {
    ($(#[$meta:meta])* $name:ident, $($note:literal)*) => {
        $(#[$meta])*
        #[cfg_attr(not(feature = "http"), diagnostic::on_unimplemented(
            note = "`http::HeaderMap`, `http::Request` and `http::request::Parts` need a feature: \
                    `cargo add spandrel --features http`"
        ))]
        #[cfg_attr(feature = "http", diagnostic::on_unimplemented(
            note = "`http::HeaderMap`, `http::Request` and `http::request::Parts` are carriers, of the version \
                    of `http` that spandrel uses: `cargo tree --duplicates` shows others"
        ))]
        #[cfg_attr(not(feature = "reqwest"), diagnostic::on_unimplemented(
            note = "`reqwest::Request` needs a feature: `cargo add spandrel --features reqwest`"
        ))]
        #[cfg_attr(feature = "reqwest", diagnostic::on_unimplemented(
            note = "`reqwest::Request` is a carrier, of the version of `reqwest` that spandrel uses: \
                    `cargo tree --duplicates` shows others; a `RequestBuilder` is none: `build()` the request"
        ))]
        #[cfg_attr(not(feature = "tonic"), diagnostic::on_unimplemented(
            note = "`tonic::Request` and `tonic::metadata::MetadataMap` need a feature: \
                    `cargo add spandrel --features tonic`"
        ))]
        #[cfg_attr(feature = "tonic", diagnostic::on_unimplemented(
            note = "`tonic::Request` and `tonic::metadata::MetadataMap` are carriers, of the version \
                    of `tonic` that spandrel uses: `cargo tree --duplicates` shows others"
        ))]
        #[cfg_attr(not(feature = "rdkafka"), diagnostic::on_unimplemented(
            note = "`rdkafka::message::OwnedHeaders`, messages and records need a feature: \
                    `cargo add spandrel --features rdkafka`"
        ))]
        #[cfg_attr(feature = "rdkafka", diagnostic::on_unimplemented(
            note = "`rdkafka::message::OwnedHeaders`, messages and records are carriers, of the version \
                    of `rdkafka` that spandrel uses: `cargo tree --duplicates` shows others"
        ))]
        #[cfg_attr(not(feature = "lapin"), diagnostic::on_unimplemented(
            note = "`lapin::BasicProperties` and `lapin::types::FieldTable` need a feature: \
                    `cargo add spandrel --features lapin`"
        ))]
        #[cfg_attr(feature = "lapin", diagnostic::on_unimplemented(
            note = "`lapin::BasicProperties` and `lapin::types::FieldTable` are carriers, of the version \
                    of `lapin` that spandrel uses: `cargo tree --duplicates` shows others"
        ))]
        #[cfg_attr(not(feature = "async-nats"), diagnostic::on_unimplemented(
            note = "`async_nats::HeaderMap` needs a feature: \
                    `cargo add spandrel --features async-nats`"
        ))]
        #[cfg_attr(feature = "async-nats", diagnostic::on_unimplemented(
            note = "`async_nats::HeaderMap` is a carrier, of the version \
                    of `async-nats` that spandrel uses: `cargo tree --duplicates` shows others"
        ))]
        #[cfg_attr(not(feature = "redis"), diagnostic::on_unimplemented(
            note = "`redis::streams::StreamId` and its `map` need a feature: \
                    `cargo add spandrel --features redis`"
        ))]
        #[cfg_attr(feature = "redis", diagnostic::on_unimplemented(
            note = "`redis::streams::StreamId` and its `map` are carriers, of the version \
                    of `redis` that spandrel uses: `cargo tree --duplicates` shows others"
        ))]
        $(#[diagnostic::on_unimplemented(note = $note)])*
        pub trait $name {}
    };
}

no_carrier! {
    /// What a context can be extracted from.
    #[diagnostic::on_unimplemented(
        message = "a trace context cannot be extracted from `{Self}`; add the feature of its crate, or \
                   name a carrier",
        label = "not a carrier",
        note = "of a request or a message, name the headers: `request.headers()`, \
                `message.headers()`"
    )]
    ReadableCarrier,
    "carriers without a feature are `TraceContext`, `HashMap<String, String>`, \
     `BTreeMap<String, String>`, lists of pairs of strings, every `spandrel::Extractor`, and an \
     `Option` of one of these"
    "another type is a carrier when it implements `spandrel::Carrier`; wrap a type of another \
     crate, as in `extract(MyHeaders(headers))`"
}

no_carrier! {
    /// What a context can be injected into.
    #[diagnostic::on_unimplemented(
        message = "a trace context cannot be injected into `{Self}`; add the feature of its crate, or \
                   name a carrier",
        label = "not a carrier to write to",
        note = "of a request or a message, name the headers: `request.headers_mut()`; take a \
                carrier by `&mut`, or as `mut`"
    )]
    WritableCarrier,
    "messages of `rdkafka`, their `BorrowedHeaders`, and the entries of Redis streams can only be read"
    "carriers without a feature are `TraceContext`, `HashMap<String, String>`, \
     `BTreeMap<String, String>`, `Vec<(String, String)>`, every `spandrel::Injector`, and an \
     `Option` of one of these"
    "another type is a carrier when it implements `spandrel::CarrierMut`; wrap a type of another \
     crate, as in `inject(MyHeaders(headers))`"
}

/// Ties a probe to the type of its expression. The bounds below are on a parameter of the method: so
/// the compiler reports them on the method's name, which has the carrier's place, and not on the
/// receiver, which is in a macro of ours.
pub trait Of<T: ?Sized> {}

impl<T: ?Sized> Of<T> for Extraction<'_, T> {}
impl<T: ?Sized> Of<T> for Injection<'_, T> {}

/// What is no carrier.
pub trait ExtractsNothing {
    /// Never compiles.
    fn spandrel_extract<T: ReadableCarrier + ?Sized>(&self) -> Context
    where
        Self: Of<T>;

    /// Never compiles.
    fn spandrel_linked<T: ReadableCarrier + ?Sized>(&self) -> Vec<Context>
    where
        Self: Of<T>,
    {
        Vec::new()
    }
}

impl<V: ?Sized> ExtractsNothing for Extraction<'_, V> {
    fn spandrel_extract<T: ReadableCarrier + ?Sized>(&self) -> Context
    where
        Self: Of<T>,
    {
        Context::new()
    }
}

/// What is no carrier.
pub trait InjectsNothing {
    /// Never compiles.
    fn spandrel_inject<T: WritableCarrier + ?Sized>(&self)
    where
        Self: Of<T>;
}

impl<V: ?Sized> InjectsNothing for Injection<'_, V> {
    fn spandrel_inject<T: WritableCarrier + ?Sized>(&self)
    where
        Self: Of<T>,
    {
    }
}
