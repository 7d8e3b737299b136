//! Headers of NATS messages.

use async_nats::HeaderMap;
use opentelemetry::Context;

use super::{Carrier, CarrierMut, Pairs, WrittenHeaders};
use crate::propagation::current::read;

impl Carrier for HeaderMap {
    fn extract_context(&self) -> Context {
        let pairs = self.iter().flat_map(|(name, values)| {
            values.iter().map(move |value| (name.as_ref(), value.as_str()))
        });
        read(&Pairs::of_texts(pairs))
    }
}

impl CarrierMut for HeaderMap {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
        let mut headers = Self::new();
        for (name, values) in self.iter() {
            if !WrittenHeaders::replaces(name.as_ref()) {
                for value in values {
                    headers.append(name.clone(), value.clone());
                }
            }
        }
        for (key, value) in written.0 {
            headers.insert(key, value);
        }
        *self = headers;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BEFORE, assert_extracted, assert_injected, attach};
    use super::*;

    #[test]
    fn headers_are_carriers() {
        let mut headers = HeaderMap::new();
        for (name, value) in BEFORE {
            headers.append(name, value);
        }
        headers.append("tracestate", "b=2");
        assert_extracted(&headers.extract_context(), "a=1,b=2", &[]);
        let attached = attach();
        headers.inject_context();
        let pairs = headers.iter().flat_map(|(name, values)| {
            values.iter().map(move |value| (name.as_ref(), value.as_str()))
        });
        assert_injected(pairs);
        drop(attached);
    }
}
