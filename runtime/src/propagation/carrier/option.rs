//! Carriers that may be missing: to read one is to read an empty one, to write makes one.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector};

use super::{Carrier, CarrierMut, ExtractorCarrier, InjectorCarrier, Pairs};
use crate::propagation::extract;

/// What an empty carrier has.
fn nothing() -> Context {
    extract(&Pairs::default())
}

impl<C: Carrier> Carrier for Option<C> {
    fn extract_context(&self) -> Context {
        self.as_ref().map_or_else(nothing, Carrier::extract_context)
    }
}

/// For `Option<&C>`.
impl<C: Carrier + ?Sized> Carrier for &C {
    fn extract_context(&self) -> Context {
        (**self).extract_context()
    }
}

impl<C: CarrierMut + Default> CarrierMut for Option<C> {
    fn inject_context(&mut self) {
        self.get_or_insert_default().inject_context();
    }
}

/// An [`Extractor`] that may be missing. Apart from [`Carrier`], whose types it must not overlap.
pub trait OptionalExtractor {
    /// The context in this carrier, over the current one.
    fn spandrel_extract(&self) -> Context;
}

impl<T: Extractor> OptionalExtractor for Option<T> {
    fn spandrel_extract(&self) -> Context {
        self.as_ref().map_or_else(nothing, ExtractorCarrier::spandrel_extract)
    }
}

/// A borrowed [`Extractor`] that may be missing.
pub trait OptionalExtractorRef {
    /// The context in this carrier, over the current one.
    fn spandrel_extract(&self) -> Context;
}

impl<T: Extractor + ?Sized> OptionalExtractorRef for Option<&T> {
    fn spandrel_extract(&self) -> Context {
        self.map_or_else(nothing, ExtractorCarrier::spandrel_extract)
    }
}

/// An [`Injector`] that may be missing.
pub trait OptionalInjector {
    /// Writes the current context into this carrier.
    fn spandrel_inject(&mut self);
}

impl<T: Injector + Default> OptionalInjector for Option<T> {
    fn spandrel_inject(&mut self) {
        self.get_or_insert_default().spandrel_inject();
    }
}
