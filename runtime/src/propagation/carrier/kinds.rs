//! What a context can be extracted from and injected into: carriers of this crate's own, and of OpenTelemetry's.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector};

use super::{Borrowed, Carrier, CarrierMut, Each, Pairs};
use crate::propagation::current::{read, write};

/// A type that a context can be extracted from. `Kind` keeps the implementations apart.
#[diagnostic::on_unimplemented(
    message = "a trace context cannot be extracted from `{Self}`; give a reference to a carrier",
    label = "not a carrier",
    note = "carriers are the same as for `#[propagate]`; types of other crates need the feature of that crate"
)]
pub trait Extracts<Kind> {
    /// The context in this carrier, over the current one.
    fn extracted(&self) -> Context;
}

/// A type that a context can be injected into. `Kind` keeps the implementations apart.
#[diagnostic::on_unimplemented(
    message = "a trace context cannot be injected into `{Self}`; give a `&mut` to a carrier",
    label = "not a carrier to write to",
    note = "carriers are the same as for `#[propagate]`; types of other crates need the feature of that crate"
)]
pub trait Injects<Kind> {
    /// Writes the current context into this carrier.
    fn inject(&mut self);
}

/// The kind of every [`Carrier`] and [`CarrierMut`].
#[derive(Debug)]
pub struct Own;

/// The kind of every [`Extractor`] and [`Injector`].
#[derive(Debug)]
pub struct Standard;

/// The kind of an `Option` of an [`Extractor`] or [`Injector`].
#[derive(Debug)]
pub struct Optional;

/// The kind of an `Option` of a borrowed [`Extractor`].
#[derive(Debug)]
pub struct OptionalRef;

impl<C: Carrier + ?Sized> Extracts<Own> for C {
    fn extracted(&self) -> Context {
        self.extract_context()
    }
}

impl<T: Extractor + ?Sized> Extracts<Standard> for T {
    fn extracted(&self) -> Context {
        read(&Borrowed(self))
    }
}

impl<T: Extractor> Extracts<Optional> for Option<T> {
    fn extracted(&self) -> Context {
        self.as_ref().map_or_else(nothing, Extracts::<Standard>::extracted)
    }
}

impl<T: Extractor + ?Sized> Extracts<OptionalRef> for Option<&T> {
    fn extracted(&self) -> Context {
        self.map_or_else(nothing, Extracts::<Standard>::extracted)
    }
}

impl<C: CarrierMut + ?Sized> Injects<Own> for C {
    fn inject(&mut self) {
        self.inject_context();
    }
}

impl<T: Injector + ?Sized> Injects<Standard> for T {
    fn inject(&mut self) {
        write(&mut Each(|key: &str, value| self.set(key, value)));
    }
}

impl<T: Injector + Default> Injects<Optional> for Option<T> {
    fn inject(&mut self) {
        Injects::<Standard>::inject(self.get_or_insert_default());
    }
}

/// The context in an empty carrier.
pub(super) fn nothing() -> Context {
    read(&Pairs::default())
}
