//! Requests of `reqwest`.

use opentelemetry::Context;
use reqwest::Request;

use super::{Carrier, CarrierMut};

impl Carrier for Request {
    fn extract_context(&self) -> Context {
        self.headers().extract_context()
    }
}

impl CarrierMut for Request {
    fn inject_context(&mut self) {
        self.headers_mut().inject_context();
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::super::tests::{BEFORE, assert_extracted, assert_injected, attach};
    use super::*;

    #[test]
    fn requests_are_carriers() {
        let url = "http://localhost/".parse().expect("a URL");
        let mut request = Request::new(reqwest::Method::GET, url);
        for (name, value) in BEFORE {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        assert_extracted(&request.extract_context(), "a=1", &[]);
        let attached = attach();
        crate::inject(&mut request);
        let headers = request.headers().iter();
        assert_injected(
            headers.map(|(name, value)| (name.as_str(), value.to_str().expect("text"))),
        );
        drop(attached);
    }
}
