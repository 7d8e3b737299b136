//! Headers and requests of `http`.

use http::{HeaderMap, HeaderName, HeaderValue, Request, request::Parts};
use opentelemetry::Context;

use super::{Carrier, CarrierMut, Each, Pairs};
use crate::propagation::format::{TRACE_PARENT, TRACE_STATE};
use crate::propagation::{extract, inject};

/// Stands for a value that is no text: nothing that reads it takes it for valid, or for absent.
const NO_TEXT: &str = "\u{fffd}";

impl Carrier for HeaderMap {
    fn extract_context(&self) -> Context {
        let pairs =
            self.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or(NO_TEXT)));
        extract(&Pairs(pairs.collect()))
    }
}

impl CarrierMut for HeaderMap {
    fn inject_context(&mut self) {
        inject(&mut Each(|key: &str, value: String| {
            if let (Ok(name), Ok(value)) = (key.parse::<HeaderName>(), value.parse::<HeaderValue>())
            {
                if key == TRACE_PARENT {
                    self.remove(TRACE_STATE);
                }
                self.insert(name, value);
            }
        }));
    }
}

impl<B> Carrier for Request<B> {
    fn extract_context(&self) -> Context {
        self.headers().extract_context()
    }
}

impl<B> CarrierMut for Request<B> {
    fn inject_context(&mut self) {
        self.headers_mut().inject_context();
    }
}

impl Carrier for Parts {
    fn extract_context(&self) -> Context {
        self.headers.extract_context()
    }
}

impl CarrierMut for Parts {
    fn inject_context(&mut self) {
        self.headers.inject_context();
    }
}
