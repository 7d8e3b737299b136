//! Headers of AMQP messages.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use opentelemetry::Context;

use super::{Carrier, CarrierMut, Pairs, Written};
use crate::propagation::extract;

impl Carrier for FieldTable {
    fn extract_context(&self) -> Context {
        let pairs = self.inner().iter().map(|(name, value)| (name.as_str(), bytes(value)));
        extract(&Pairs::of_bytes(pairs))
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
        let Some(written) = Written::now() else { return };
        let kept = self.inner().iter().filter(|(name, _)| !Written::replaces(name.as_str()));
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
