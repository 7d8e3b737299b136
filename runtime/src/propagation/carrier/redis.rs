//! Fields of the entries of Redis streams.

use std::collections::HashMap;
use std::hash::BuildHasher;

use opentelemetry::Context;
use redis::Value;
use redis::streams::StreamId;

use super::{Carrier, Pairs};
use crate::propagation::extract;

impl<S: BuildHasher> Carrier for HashMap<String, Value, S> {
    fn extract_context(&self) -> Context {
        let pairs = self.iter().map(|(name, value)| (name.as_str(), bytes(value)));
        extract(&Pairs::of_bytes(pairs))
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.as_bytes()),
        _ => None,
    }
}

impl Carrier for StreamId {
    fn extract_context(&self) -> Context {
        self.map.extract_context()
    }
}
