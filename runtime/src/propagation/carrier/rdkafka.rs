//! Headers of Kafka messages.

mod native;

use std::ffi::CString;

use opentelemetry::Context;
use rdkafka::message::{
    BorrowedHeaders, BorrowedMessage, Header, Message, OwnedHeaders, OwnedMessage, ToBytes,
};
use rdkafka::producer::{BaseRecord, FutureRecord};
use rdkafka::util::IntoOpaque;

use super::kinds::nothing;
use super::{Carrier, CarrierMut, Pairs, WrittenHeaders};
use crate::propagation::current::read;

impl Carrier for BorrowedHeaders {
    fn extract_context(&self) -> Context {
        let pairs =
            native::headers(self).filter_map(|(name, value)| Some((name.to_str().ok()?, value)));
        read(&Pairs::of_bytes(pairs))
    }
}

impl Carrier for OwnedHeaders {
    fn extract_context(&self) -> Context {
        self.as_borrowed().extract_context()
    }
}

impl CarrierMut for OwnedHeaders {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
        let replaced: Vec<CString> = native::headers(self.as_borrowed())
            .filter(|(name, _)| name.to_str().is_ok_and(WrittenHeaders::replaces))
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

/// A message without headers is an empty carrier.
impl Carrier for BorrowedMessage<'_> {
    fn extract_context(&self) -> Context {
        self.headers().map_or_else(nothing, Carrier::extract_context)
    }
}

impl Carrier for OwnedMessage {
    fn extract_context(&self) -> Context {
        self.headers().map_or_else(nothing, Carrier::extract_context)
    }
}

impl<K: ToBytes + ?Sized, P: ToBytes + ?Sized> CarrierMut for FutureRecord<'_, K, P> {
    fn inject_context(&mut self) {
        self.headers.inject_context();
    }
}

impl<K: ToBytes + ?Sized, P: ToBytes + ?Sized, D: IntoOpaque> CarrierMut
    for BaseRecord<'_, K, P, D>
{
    fn inject_context(&mut self) {
        self.headers.inject_context();
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::super::tests::{BEFORE, assert_extracted, assert_injected, assert_nothing, attach};
    use super::*;

    fn headers() -> OwnedHeaders {
        BEFORE.into_iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        })
    }

    #[test]
    fn headers_are_read() {
        assert_extracted(&headers().extract_context(), "a=1", &[]);
        let headers = headers()
            .insert(Header { key: "Tracestate", value: Some("b=2") })
            .insert(Header { key: "baggage", value: Some(b"a=1,b=\xff,c=3") })
            .insert(Header::<&str> { key: "baggage", value: None });
        assert_extracted(&headers.extract_context(), "a=1,b=2", &["a", "c"]);
        let headers = headers.insert(Header::<&str> { key: "traceparent", value: None });
        assert_nothing(&headers.as_borrowed().extract_context());
    }

    #[test]
    fn headers_with_names_that_are_no_text_are_passed_over_and_kept() {
        let attached = attach();
        let mut headers = native::tests::with_name(headers(), c"\xff");
        headers.inject_context();
        let headers: Vec<_> = native::headers(headers.as_borrowed()).collect();
        let is_text = |name: &&CStr| name.to_str().is_ok();
        assert_eq!(headers.iter().filter(|(name, _)| !is_text(name)).count(), 1);
        let texts = headers.iter().filter(|(name, _)| is_text(name));
        assert_injected(texts.map(|(name, value)| {
            let value = str::from_utf8(value.expect("a value")).expect("text");
            (name.to_str().expect("text"), value)
        }));
        drop(attached);
    }
}
