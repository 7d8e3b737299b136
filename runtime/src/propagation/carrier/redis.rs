//! Fields of the entries of Redis streams.

use std::collections::HashMap;
use std::hash::BuildHasher;

use opentelemetry::Context;
use redis::Value;
use redis::streams::StreamId;

use super::{Carrier, Pairs};
use crate::propagation::current::read;

impl<S: BuildHasher> Carrier for HashMap<String, Value, S> {
    fn extract_context(&self) -> Context {
        let pairs = self.iter().map(|(name, value)| (name.as_str(), bytes(value)));
        read(&Pairs::of_bytes(pairs))
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

#[cfg(test)]
mod tests {
    use super::super::tests::{BEFORE, assert_extracted, assert_nothing};
    use super::*;

    fn with(name: &str, value: Value) -> HashMap<String, Value> {
        let text = |text: &str| Value::BulkString(text.into());
        let pairs = BEFORE.map(|(name, value)| (name.to_owned(), text(value)));
        let mut fields = HashMap::from(pairs);
        fields.insert(name.to_owned(), value);
        fields
    }

    #[test]
    fn texts_of_every_kind_are_read() {
        let format = redis::VerbatimFormat::Text;
        for value in [
            Value::BulkString(b"a=1,b=\xff,c=3".to_vec()),
            Value::SimpleString("a=1,c=3".to_owned()),
            Value::VerbatimString { format, text: "a=1,c=3".to_owned() },
        ] {
            let fields = with("Baggage", value);
            assert_extracted(&fields.extract_context(), "a=1", &["a", "c"]);
            let entry = StreamId { map: fields, ..StreamId::default() };
            assert_extracted(&entry.extract_context(), "a=1", &["a", "c"]);
        }
        assert_nothing(&with("traceparent", Value::Nil).extract_context());
    }
}
