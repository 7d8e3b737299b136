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
