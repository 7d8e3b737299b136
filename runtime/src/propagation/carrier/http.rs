//! Headers and requests of `http`.

use http::{HeaderMap, HeaderName, HeaderValue, Request, request::Parts};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;

use super::{Carrier, CarrierMut, Pairs, WrittenHeaders};
use crate::propagation::Propagator;
use crate::propagation::current::read;

impl Carrier for HeaderMap {
    fn extract_context(&self) -> Context {
        let pairs = self.iter().map(|(name, value)| (name.as_str(), Some(value.as_bytes())));
        read(&Pairs::of_bytes(pairs))
    }
}

impl CarrierMut for HeaderMap {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
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

#[cfg(test)]
mod tests {
    use super::super::tests::{BEFORE, assert_extracted, assert_injected, assert_nothing, attach};
    use super::*;

    fn headers() -> HeaderMap {
        let pairs = BEFORE.map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_static(value))
        });
        let mut headers: HeaderMap = pairs.into_iter().collect();
        let baggage = HeaderValue::from_bytes(b"a=1,b=\xff,c=3").expect("a header");
        headers.insert("baggage", baggage);
        headers
    }

    fn request() -> Request<()> {
        let mut request = Request::new(());
        *request.headers_mut() = headers();
        request
    }

    fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
    }

    #[test]
    fn headers_and_requests_are_read() {
        assert_extracted(&headers().extract_context(), "a=1", &["a", "c"]);
        assert_extracted(&request().extract_context(), "a=1", &["a", "c"]);
        assert_extracted(&request().into_parts().0.extract_context(), "a=1", &["a", "c"]);
        let mut twice = headers();
        twice.append("traceparent", HeaderValue::from_bytes(b"\xff").expect("a header"));
        assert_nothing(&twice.extract_context());
    }

    #[test]
    fn headers_and_requests_are_injected_into() {
        let attached = attach();
        let (mut headers, mut request, (mut parts, ())) =
            (headers(), request(), request().into_parts());
        headers.inject_context();
        request.inject_context();
        parts.inject_context();
        for headers in [&headers, request.headers(), &parts.headers] {
            assert_injected(pairs(headers));
        }
        drop(attached);
    }
}
