//! Metadata and requests of `tonic`.

use opentelemetry::Context;
use tonic::Request;
use tonic::metadata::MetadataMap;

use super::{Carrier, CarrierMut};

impl Carrier for MetadataMap {
    fn extract_context(&self) -> Context {
        self.as_ref().extract_context()
    }
}

impl CarrierMut for MetadataMap {
    fn inject_context(&mut self) {
        self.as_mut().inject_context();
    }
}

impl<T> Carrier for Request<T> {
    fn extract_context(&self) -> Context {
        self.metadata().extract_context()
    }
}

impl<T> CarrierMut for Request<T> {
    fn inject_context(&mut self) {
        self.metadata_mut().inject_context();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BEFORE, assert_extracted, assert_injected, attach};
    use super::*;

    fn request() -> Request<()> {
        let mut request = Request::new(());
        for (name, value) in BEFORE {
            let name = name.to_ascii_lowercase();
            let key: tonic::metadata::AsciiMetadataKey = name.parse().expect("a key");
            request.metadata_mut().insert(key, value.parse().expect("a value"));
        }
        request
    }

    #[test]
    fn metadata_and_requests_are_carriers() {
        assert_extracted(&request().extract_context(), "a=1", &[]);
        assert_extracted(&request().metadata().extract_context(), "a=1", &[]);
        let attached = attach();
        let (mut request, mut metadata) = (request(), request().metadata().clone());
        request.inject_context();
        metadata.inject_context();
        for metadata in [request.metadata(), &metadata] {
            let pairs = metadata.as_ref().iter();
            assert_injected(
                pairs.map(|(name, value)| (name.as_str(), value.to_str().expect("text"))),
            );
        }
        drop(attached);
    }
}
