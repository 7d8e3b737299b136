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
        let pairs = self.iter().filter_map(|(name, value)| Some((name.as_str(), text(value)?)));
        extract(&Pairs(pairs.collect()))
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

impl Carrier for StreamId {
    fn extract_context(&self) -> Context {
        self.map.extract_context()
    }
}
