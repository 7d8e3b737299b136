//! `redis`.

use std::collections::HashMap;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::SpanId;
use redis::Value;
use redis::streams::{StreamId, StreamKey};
use redis::{RedisResult, parse_redis_value};
use spandrel::testing::record;
use spandrel::{Context, propagate, span};

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
    fields.insert("baggage".to_owned(), Value::BulkString(b"a=1,b=\xff".to_vec()));
    fields.insert("retries".to_owned(), Value::Int(3));
    fields
}

#[test]
fn an_entry_is_received() {
    assert_received(&record(|| receive_fields(fields())), "b=2");
    let entry = StreamId { map: fields(), ..StreamId::default() };
    assert_received(&record(|| receive(&entry)), "b=2");
}

#[propagate(fields)]
fn baggage(fields: HashMap<String, Value>) -> usize {
    Context::map_current(|context| context.baggage().len())
}

#[test]
fn a_value_that_is_no_text_is_malformed_and_not_absent() {
    assert_eq!(baggage(fields()), 1, "the other member of the baggage holds");
    for value in [Value::BulkString(vec![0xff]), Value::Int(3), Value::Nil] {
        let mut fields = fields();
        fields.insert("TraceParent".to_owned(), value);
        let recording = record(|| receive_fields(fields));
        assert_eq!(recording.spans()[0].parent_span_id, SpanId::INVALID, "it is a second one");
    }
}

#[span("process", kind(consumer), messaging.destination.name = "orders", ..entry)]
fn process(entry: &StreamId) {}

#[span("process", kind(consumer), ..stream)]
fn process_all(stream: &StreamKey) {}

#[test]
fn entries_are_groups_of_attributes() {
    let entry = StreamId { id: "1-0".to_owned(), ..StreamId::default() };
    let processed = "process [consumer] messaging.system=\"redis\" messaging.operation.name=\"process\" \
                     messaging.operation.type=\"process\"";
    let tree = record(|| process(&entry)).to_string();
    let rest = "messaging.message.id=\"1-0\" messaging.destination.name=\"orders\"\n";
    assert_eq!(tree, format!("{processed} {rest}"));
    let stream = StreamKey { key: "orders".to_owned(), ids: vec![entry.clone(), entry] };
    let rest = "messaging.destination.name=\"orders\" messaging.batch.message_count=2\n";
    assert_eq!(record(|| process_all(&stream)).to_string(), format!("{processed} {rest}"));
}

#[span("join")]
fn fails() -> RedisResult<()> {
    match parse_redis_value(b"-BUSYGROUP there is such a group\r\n")? {
        Value::ServerError(error) => Err(error.into()),
        _ => Ok(()),
    }
}

#[test]
fn the_type_of_an_error_is_the_server_s_code() {
    let tree = record(fails).to_string();
    assert!(tree.starts_with("join error.type=\"BUSYGROUP\" ✗"), "{tree}");
}
