//! Headers of Kafka messages.

mod native;

use std::ffi::CString;

use opentelemetry::Context;
use rdkafka::message::{BorrowedHeaders, Header, OwnedHeaders};

use super::{Carrier, CarrierMut, Pairs, Written};
use crate::propagation::extract;

impl Carrier for BorrowedHeaders {
    fn extract_context(&self) -> Context {
        let pairs =
            native::headers(self).filter_map(|(name, value)| Some((name.to_str().ok()?, value)));
        extract(&Pairs::of_bytes(pairs))
    }
}

impl Carrier for OwnedHeaders {
    fn extract_context(&self) -> Context {
        self.as_borrowed().extract_context()
    }
}

impl CarrierMut for OwnedHeaders {
    fn inject_context(&mut self) {
        let Some(written) = Written::now() else { return };
        let replaced: Vec<CString> = native::headers(self.as_borrowed())
            .filter(|(name, _)| name.to_str().is_ok_and(Written::replaces))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in replaced {
            native::remove(self, &name);
        }
        for (key, value) in &written.0 {
            *self = std::mem::take(self).insert(Header { key, value: Some(value) });
        }
    }
}
