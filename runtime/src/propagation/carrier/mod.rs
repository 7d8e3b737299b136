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
use opentelemetry::propagation::{Extractor, Injector};

use super::format::{TRACE_PARENT, TRACE_STATE};
use super::{extract, inject};

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

/// Every [`Extractor`] is a carrier. Apart from [`Carrier`], whose types it must not overlap.
pub trait ExtractorCarrier {
    /// The context in this carrier, over the current one.
    fn extract_context(&self) -> Context;
}

/// Every [`Injector`] is a carrier. Apart from [`CarrierMut`], whose types it must not overlap.
pub trait InjectorCarrier {
    /// Writes the current context into this carrier.
    fn inject_context(&mut self);
}

impl<T: Extractor + ?Sized> ExtractorCarrier for T {
    fn extract_context(&self) -> Context {
        extract(&Borrowed(self))
    }
}

impl<T: Injector + ?Sized> InjectorCarrier for T {
    fn inject_context(&mut self) {
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

/// Whether what is in a carrier under this name goes when a header is written: the header of that
/// name, and a `tracestate` that belongs to another `traceparent`.
pub(super) fn is_replaced(name: &str, written: &str) -> bool {
    name.eq_ignore_ascii_case(written)
        || (written == TRACE_PARENT && name.eq_ignore_ascii_case(TRACE_STATE))
}

impl CarrierMut for Vec<(String, String)> {
    fn inject_context(&mut self) {
        inject(&mut Each(|key: &str, value| {
            self.retain(|(name, _)| !is_replaced(name, key));
            self.push((key.to_owned(), value));
        }));
    }
}

impl CarrierMut for BTreeMap<String, String> {
    fn inject_context(&mut self) {
        inject(&mut Each(|key: &str, value| {
            self.retain(|name, _| !is_replaced(name, key));
            self.insert(key.to_owned(), value);
        }));
    }
}

/// What is injected into carriers that nothing can be taken out of: they are made anew, without what
/// it replaces.
#[cfg(any(feature = "async-nats", feature = "lapin", feature = "rdkafka"))]
struct Written(Vec<(String, String)>);

#[cfg(any(feature = "async-nats", feature = "lapin", feature = "rdkafka"))]
impl Written {
    /// None where there is nothing to write.
    fn now() -> Option<Self> {
        let mut pairs = Vec::new();
        pairs.inject_context();
        (!pairs.is_empty()).then_some(Self(pairs))
    }

    fn replaces(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| is_replaced(name, key))
    }
}
