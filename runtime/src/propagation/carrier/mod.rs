//! What `#[propagate]` reads trace context from and writes it to.

#[cfg(feature = "async-nats")]
mod async_nats;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "lapin")]
mod lapin;
mod option;
#[cfg(feature = "rdkafka")]
mod rdkafka;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "tonic")]
mod tonic;

use std::collections::BTreeMap;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::{Propagator, extract, inject};

pub use option::{OptionalExtractor, OptionalExtractorRef, OptionalInjector};

/// A type that carries a trace context in without being an OpenTelemetry [`Extractor`]; those are
/// carriers too.
pub trait Carrier {
    /// The context in this carrier, over the current one.
    fn extract_context(&self) -> Context;
}

/// A type that carries a trace context out without being an OpenTelemetry [`Injector`]; those are
/// carriers too.
pub trait CarrierMut {
    /// Writes the current context into this carrier.
    fn inject_context(&mut self);
}

/// A [`Carrier`], by a method whose name nobody else has.
pub trait IsCarrier {
    /// The context in this carrier, over the current one.
    fn spandrel_extract(&self) -> Context;
}

impl<C: Carrier + ?Sized> IsCarrier for C {
    fn spandrel_extract(&self) -> Context {
        self.extract_context()
    }
}

/// A [`CarrierMut`], by a method whose name nobody else has.
pub trait IsCarrierMut {
    /// Writes the current context into this carrier.
    fn spandrel_inject(&mut self);
}

impl<C: CarrierMut + ?Sized> IsCarrierMut for C {
    fn spandrel_inject(&mut self) {
        self.inject_context();
    }
}

/// Every [`Extractor`] is a carrier. Apart from [`Carrier`], whose types it must not overlap.
pub trait ExtractorCarrier {
    /// The context in this carrier, over the current one.
    fn spandrel_extract(&self) -> Context;
}

/// Every [`Injector`] is a carrier. Apart from [`CarrierMut`], whose types it must not overlap.
pub trait InjectorCarrier {
    /// Writes the current context into this carrier.
    fn spandrel_inject(&mut self);
}

impl<T: Extractor + ?Sized> ExtractorCarrier for T {
    fn spandrel_extract(&self) -> Context {
        extract(&Borrowed(self))
    }
}

impl<T: Injector + ?Sized> InjectorCarrier for T {
    fn spandrel_inject(&mut self) {
        inject(&mut Each(|key: &str, value| self.set(key, value)));
    }
}

/// A carrier that may be a trait object.
struct Borrowed<'a, T: ?Sized>(&'a T);

impl<T: Extractor + ?Sized> Extractor for Borrowed<'_, T> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.0.get_all(key)
    }
}

/// Keys and values that were found by comparing without regard to case, as header names are.
struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl Extractor for Pairs<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values = self.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
        Some(values.map(|(_, value)| *value).collect())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Carrier for [(K, V)] {
    fn extract_context(&self) -> Context {
        extract(&Pairs(self.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect()))
    }
}

impl<V: AsRef<str>> Carrier for BTreeMap<String, V> {
    fn extract_context(&self) -> Context {
        extract(&Pairs(self.iter().map(|(key, value)| (key.as_str(), value.as_ref())).collect()))
    }
}

/// Calls a closure for each pair that is injected.
struct Each<F>(F);

impl<F: FnMut(&str, String)> Injector for Each<F> {
    fn set(&mut self, key: &str, value: String) {
        (self.0)(key, value);
    }
}

/// The current context as it is written. It takes the place of all that a carrier has of another.
struct Written(Vec<(String, String)>);

impl Written {
    /// None where there is nothing to write.
    fn now() -> Option<Self> {
        let mut pairs = Vec::new();
        inject(&mut Each(|key: &str, value| pairs.push((key.to_owned(), value))));
        (!pairs.is_empty()).then_some(Self(pairs))
    }

    /// Whether what is in a carrier under this name goes.
    fn replaces(name: &str) -> bool {
        Propagator::global().fields().any(|field| name.eq_ignore_ascii_case(field))
    }
}

impl CarrierMut for Vec<(String, String)> {
    fn inject_context(&mut self) {
        let Some(written) = Written::now() else { return };
        self.retain(|(name, _)| !Written::replaces(name));
        self.extend(written.0);
    }
}

impl CarrierMut for BTreeMap<String, String> {
    fn inject_context(&mut self) {
        let Some(written) = Written::now() else { return };
        self.retain(|name, _| !Written::replaces(name));
        self.extend(written.0);
    }
}
