//! Headers of AMQP messages.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use opentelemetry::Context;

use super::{Carrier, CarrierMut, Pairs, WrittenHeaders};
use crate::propagation::current::read;

impl Carrier for FieldTable {
    fn extract_context(&self) -> Context {
        let pairs = self.inner().iter().map(|(name, value)| (name.as_str(), bytes(value)));
        read(&Pairs::of_bytes(pairs))
    }
}

fn bytes(value: &AMQPValue) -> Option<&[u8]> {
    match value {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        AMQPValue::ShortString(text) => Some(text.as_str().as_bytes()),
        AMQPValue::ByteArray(bytes) => Some(bytes.as_slice()),
        _ => None,
    }
}

impl CarrierMut for FieldTable {
    fn inject_context(&mut self) {
        let Some(written) = WrittenHeaders::now() else { return };
        let kept = self.inner().iter().filter(|(name, _)| !WrittenHeaders::replaces(name.as_str()));
        let mut headers: BTreeMap<_, _> =
            kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        headers.extend(
            written
                .0
                .into_iter()
                .map(|(key, value)| (key.into(), AMQPValue::LongString(value.into()))),
        );
        *self = headers.into();
    }
}

impl Carrier for BasicProperties {
    fn extract_context(&self) -> Context {
        self.headers().extract_context()
    }
}

impl CarrierMut for BasicProperties {
    fn inject_context(&mut self) {
        let mut headers = self.headers().clone().unwrap_or_default();
        headers.inject_context();
        *self = std::mem::take(self).with_headers(headers);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BEFORE, assert_extracted, assert_injected, assert_nothing, attach};
    use super::*;

    fn table() -> BTreeMap<lapin::types::ShortString, AMQPValue> {
        BEFORE.map(|(name, value)| (name.into(), AMQPValue::LongString(value.into()))).into()
    }

    fn with(name: &str, value: AMQPValue) -> FieldTable {
        let mut table = table();
        table.insert(name.into(), value);
        table.into()
    }

    #[test]
    fn texts_of_every_kind_are_read() {
        let texts = [
            AMQPValue::LongString("a=1,c=3".into()),
            AMQPValue::ShortString("a=1,c=3".into()),
            AMQPValue::ByteArray(b"a=1,c=3".to_vec().into()),
            AMQPValue::ByteArray(b"a=1,b=\xff,c=3".to_vec().into()),
        ];
        for text in texts {
            assert_extracted(&with("Baggage", text).extract_context(), "a=1", &["a", "c"]);
        }
        let properties = BasicProperties::default().with_headers(table().into());
        assert_extracted(&properties.extract_context(), "a=1", &[]);
        assert_nothing(&BasicProperties::default().extract_context());
        assert_nothing(&with("traceparent", AMQPValue::LongInt(3)).extract_context());
    }

    #[test]
    fn headers_are_injected_into() {
        let attached = attach();
        let mut headers = FieldTable::from(table());
        let mut properties = BasicProperties::default().with_headers(headers.clone());
        headers.inject_context();
        properties.inject_context();
        for headers in [&headers, properties.headers().as_ref().expect("headers")] {
            let text = |value| str::from_utf8(bytes(value).expect("a string")).expect("text");
            assert_injected(headers.into_iter().map(|(name, value)| (name.as_str(), text(value))));
        }
        drop(attached);
    }
}
