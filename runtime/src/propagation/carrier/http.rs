//! Headers and requests of `http`.

use http::{HeaderMap, HeaderName, HeaderValue, Request, request::Parts};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;

use super::{Carrier, CarrierMut, Pairs, Written};
use crate::propagation::{Propagator, extract};

impl Carrier for HeaderMap {
    fn extract_context(&self) -> Context {
        let pairs = self.iter().map(|(name, value)| (name.as_str(), Some(value.as_bytes())));
        extract(&Pairs::of_bytes(pairs))
    }
}

impl CarrierMut for HeaderMap {
    fn inject_context(&mut self) {
        let Some(written) = Written::now() else { return };
        for field in Propagator::global().fields() {
            self.remove(field);
        }
        for (name, value) in written.0 {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                // A map that is full stays as it is.
                let _ = self.try_insert(name, value);
            }
        }
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
