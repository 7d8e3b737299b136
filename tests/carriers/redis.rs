//! `redis`.

use std::collections::HashMap;

use redis::Value;
use redis::streams::StreamId;
use spandrel::testing::record;
use spandrel::{propagate, span};

use crate::{PAIRS, assert_received};

#[propagate(entry)]
#[span("receive", kind(consumer))]
fn receive(entry: &StreamId) {}

#[propagate(fields)]
#[span("receive", kind(consumer))]
fn receive_fields(fields: HashMap<String, Value>) {}

/// A map has each name once.
fn fields() -> HashMap<String, Value> {
    let text = |(name, value): (&str, &str)| (name.to_owned(), Value::BulkString(value.into()));
    let mut fields: HashMap<_, _> = PAIRS.map(text).into();
    fields.insert("baggage".to_owned(), Value::BulkString(vec![0xff]));
    fields.insert("retries".to_owned(), Value::Int(3));
    fields
}

#[test]
fn an_entry_is_received() {
    assert_received(&record(|| receive_fields(fields())), "b=2");
    let entry = StreamId { map: fields(), ..StreamId::default() };
    assert_received(&record(|| receive(&entry)), "b=2");
}
