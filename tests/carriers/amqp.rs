//! `lapin`.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::SpanId;
use spandrel::testing::record;
use spandrel::{Context, propagate, span};

use crate::{PAIRS, assert_received, assert_sent};

#[propagate(properties)]
#[span("receive", kind(consumer))]
fn receive(properties: &BasicProperties) {}

#[propagate(inject(properties))]
#[span("publish", kind(producer))]
fn publish(properties: &mut BasicProperties) {}

#[propagate(headers, inject(headers))]
#[span("forward")]
fn forward(headers: &mut Option<FieldTable>) {}

/// A table has each name once.
fn table() -> FieldTable {
    let text = |(name, value): (&str, &str)| (name.into(), AMQPValue::LongString(value.into()));
    let mut table: BTreeMap<_, _> = PAIRS.map(text).into();
    table.insert("baggage".into(), AMQPValue::LongString(b"a=1,b=\xff"[..].into()));
    table.insert("retries".into(), AMQPValue::LongInt(3));
    table.into()
}

fn pairs(headers: &FieldTable) -> impl Iterator<Item = (&str, &str)> {
    headers.into_iter().filter_map(|(name, value)| match value {
        AMQPValue::LongString(text) => Some((name.as_str(), str::from_utf8(text.as_bytes()).ok()?)),
        _ => None,
    })
}

#[test]
fn a_message_is_received() {
    let properties = BasicProperties::default().with_headers(table());
    assert_received(&record(|| receive(&properties)), "b=2");
    record(|| receive(&BasicProperties::default()));
}

#[propagate(properties)]
fn baggage(properties: &BasicProperties) -> usize {
    Context::map_current(|context| context.baggage().len())
}

#[test]
fn a_value_that_is_no_text_is_malformed_and_not_absent() {
    let properties = BasicProperties::default().with_headers(table());
    assert_eq!(baggage(&properties), 1, "the other member of the baggage holds");
    for value in [AMQPValue::ByteArray(vec![0xff].into()), AMQPValue::LongInt(3), AMQPValue::Void] {
        let mut table = table();
        table.insert("TraceParent".into(), value);
        let properties = BasicProperties::default().with_headers(table);
        let recording = record(|| receive(&properties));
        assert_eq!(recording.spans()[0].parent_span_id, SpanId::INVALID, "it is a second one");
    }
}

#[test]
fn a_message_is_published() {
    let mut properties =
        BasicProperties::default().with_content_type("text/plain".into()).with_headers(table());
    let recording = record(|| publish(&mut properties));
    let headers = properties.headers().as_ref().expect("headers");
    assert_sent(&recording, pairs(headers));
    assert!(headers.contains_key("retries"));
    assert_eq!(properties.content_type().as_ref().expect("kept").as_str(), "text/plain");
}

#[test]
fn headers_that_are_missing_are_made() {
    let mut headers = None;
    record(|| forward(&mut headers));
    let sent = headers.clone().expect("headers");
    assert!(sent.contains_key("traceparent"));
    let recording = record(|| forward(&mut headers));
    let (_, parent) = pairs(&sent).next().expect("a header");
    assert!(parent.contains(&recording.spans()[0].parent_span_id.to_string()));
}

#[span("process", kind(consumer), ..delivery)]
fn process(delivery: &Delivery) {}

#[test]
fn a_delivery_is_a_group_of_attributes() {
    let process = |exchange: &str, routing_key: &str| {
        let mut delivery =
            Delivery::mock(7, exchange.into(), routing_key.into(), false, Vec::new());
        delivery.properties = BasicProperties::default()
            .with_message_id("m-1".into())
            .with_correlation_id("c-1".into());
        record(|| process(&delivery)).to_string()
    };
    let tree = process("orders", "placed");
    let expected = "process [consumer] messaging.system=\"rabbitmq\" messaging.operation.name=\"process\" \
                    messaging.operation.type=\"process\" messaging.destination.name=\"orders:placed\" \
                    messaging.rabbitmq.destination.routing_key=\"placed\" messaging.rabbitmq.message.delivery_tag=7 \
                    messaging.message.id=\"m-1\" messaging.message.conversation_id=\"c-1\"\n";
    assert_eq!(tree, expected);
    for (exchange, routing_key, destination) in
        [("", "queue", "queue"), ("orders", "", "orders"), ("", "", "amq.default")]
    {
        let tree = process(exchange, routing_key);
        assert!(tree.contains(&format!("messaging.destination.name=\"{destination}\"")), "{tree}");
        assert_eq!(tree.contains("routing_key"), !routing_key.is_empty(), "{tree}");
    }
}
