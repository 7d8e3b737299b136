//! Headers of NATS messages.

use async_nats::HeaderMap;
use opentelemetry::Context;

use super::{Carrier, CarrierMut, Pairs, Written};
use crate::propagation::extract;

impl Carrier for HeaderMap {
    fn extract_context(&self) -> Context {
        let pairs = self.iter().flat_map(|(name, values)| {
            values.iter().map(move |value| (name.as_ref(), value.as_str()))
        });
        extract(&Pairs::of_texts(pairs))
    }
}

impl CarrierMut for HeaderMap {
    fn inject_context(&mut self) {
        let Some(written) = Written::now() else { return };
        let mut headers = Self::new();
        for (name, values) in self.iter() {
            if !Written::replaces(name.as_ref()) {
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
