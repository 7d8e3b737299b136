//! Headers of Kafka messages.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::Context;
use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders};

use super::{Carrier, CarrierMut, Pairs, Written};
use crate::propagation::extract;

impl Carrier for BorrowedHeaders {
    fn extract_context(&self) -> Context {
        let pairs = readable(self)
            .filter_map(|header| Some((header.key, str::from_utf8(header.value?).ok()?)));
        extract(&Pairs(pairs.collect()))
    }
}

impl Carrier for OwnedHeaders {
    fn extract_context(&self) -> Context {
        self.as_borrowed().extract_context()
    }
}

/// The headers whose names are text: `rdkafka` panics at the others.
fn readable(headers: &BorrowedHeaders) -> impl Iterator<Item = Header<'_, &[u8]>> {
    (0..headers.count()).filter_map(|index| {
        catch_unwind(AssertUnwindSafe(|| headers.try_get(index))).ok().flatten()
    })
}

impl CarrierMut for OwnedHeaders {
    fn inject_context(&mut self) {
        let Some(written) = Written::now() else { return };
        let replaced = |header: &Header<'_, &[u8]>| Written::replaces(header.key);
        let mut headers = if readable(self.as_borrowed()).any(|header| replaced(&header)) {
            let kept = readable(self.as_borrowed()).filter(|header| !replaced(header));
            kept.fold(Self::new(), Self::insert)
        } else {
            std::mem::take(self)
        };
        for (key, value) in &written.0 {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        *self = headers;
    }
}
