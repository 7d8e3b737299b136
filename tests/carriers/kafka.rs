//! `rdkafka`.

#![allow(clippy::result_large_err, reason = "the producer gives back an error with its message")]

use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::SpanId;
use rdkafka::Message;
use rdkafka::bindings::{rd_kafka_header_add, rd_kafka_headers_t};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders, OwnedMessage, Timestamp};
use rdkafka::producer::future_producer::Delivery;
use rdkafka::producer::{BaseRecord, FutureRecord};
use spandrel::testing::record;
use spandrel::{Context, ServerAddress, propagate, span};

use crate::{PAIRS, assert_received, assert_sent};

#[propagate(message.headers())]
#[span("receive", kind(consumer))]
fn receive(message: &OwnedMessage) {}

#[propagate(headers)]
#[span("receive", kind(consumer))]
fn receive_borrowed(headers: Option<&BorrowedHeaders>) {}

#[propagate(message)]
#[span("receive", kind(consumer))]
fn receive_all_of_it(message: &OwnedMessage) {}

#[propagate(link(messages))]
#[span("receive", kind(consumer))]
fn receive_many(messages: &[OwnedMessage]) {}

#[propagate(inject(record))]
#[span("send", kind(producer))]
fn send_all_of_it(record: &mut BaseRecord<'_, str, str>) {}

#[propagate(inject(record.headers))]
#[span("send", kind(producer))]
fn send(record: &mut BaseRecord<'_, str, str>) {}

fn with_pairs(headers: OwnedHeaders) -> OwnedHeaders {
    PAIRS
        .into_iter()
        .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
}

/// A message with a value that is no text, one that is missing, and names that are no text.
fn strange() -> OwnedHeaders {
    let headers = OwnedHeaders::new()
        .insert(Header { key: "baggage", value: Some(&[0xff]) })
        .insert(Header::<&str> { key: "baggage", value: None })
        .insert(Header { key: "baggage", value: Some(b"a=1,b=\xff,c=3") });
    with_pairs(with_unreadable_name(with_unreadable_name(headers)))
}

fn with_unreadable_name(headers: OwnedHeaders) -> OwnedHeaders {
    let native = std::ptr::from_ref(headers.as_borrowed()).cast::<rd_kafka_headers_t>().cast_mut();
    let (name, value) = (c"trace\xffparent", c"kept");
    // SAFETY: `headers` is alive and not shared, and name and value are copied.
    unsafe { rd_kafka_header_add(native, name.as_ptr(), -1, value.as_ptr().cast(), 4) };
    headers
}

#[test]
fn messages_and_records_are_carriers() {
    let full = || message(Some(with_pairs(OwnedHeaders::new())));
    assert_received(&record(|| receive_all_of_it(&full())), "a=1,b=2");
    let recording = record(|| receive_many(&[full(), message(None), full()]));
    assert_eq!(recording.spans()[0].links.links.len(), 2);
    let mut record_to_send = BaseRecord::to("orders").key("key").payload("payload");
    let recording = record(|| send_all_of_it(&mut record_to_send));
    let headers = record_to_send.headers.expect("headers");
    let id = recording.spans()[0].span_context.span_id().to_string();
    let sent = headers.iter().any(|header| {
        let value = header.value.map(String::from_utf8_lossy).unwrap_or_default();
        header.key == "traceparent" && value.contains(&id)
    });
    assert!(sent, "{headers:?}");
}

fn message(headers: Option<OwnedHeaders>) -> OwnedMessage {
    OwnedMessage::new(None, None, "orders".to_owned(), Timestamp::NotAvailable, 0, 0, headers)
}

#[test]
fn a_message_is_received() {
    assert_received(
        &record(|| receive(&message(Some(with_pairs(OwnedHeaders::new()))))),
        "a=1,b=2",
    );
    let headers = with_pairs(OwnedHeaders::new());
    assert_received(&record(|| receive_borrowed(Some(headers.as_borrowed()))), "a=1,b=2");
    record(|| receive(&message(None)));
}

#[propagate(headers)]
fn baggage(headers: &BorrowedHeaders) -> Vec<String> {
    let context = Context::current();
    let mut keys: Vec<_> = context.baggage().iter().map(|(key, _)| key.to_string()).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn headers_that_are_no_text_are_passed_over() {
    let headers = strange();
    assert_received(&record(|| receive_borrowed(Some(headers.as_borrowed()))), "a=1,b=2");
    assert_eq!(baggage(headers.as_borrowed()), ["a", "c", "tenant.id"]);
}

#[test]
fn a_traceparent_that_is_no_text_is_malformed_and_not_absent() {
    for value in [None, Some(&[0xff][..])] {
        let headers = with_pairs(OwnedHeaders::new()).insert(Header { key: "traceparent", value });
        let recording = record(|| receive_borrowed(Some(headers.as_borrowed())));
        assert_eq!(recording.spans()[0].parent_span_id, SpanId::INVALID, "it is a second one");
    }
}

/// With `panic = "abort"` the process would end, and the hook prints whatever happens to a panic later.
#[test]
fn a_name_that_is_no_text_does_not_panic() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let thread = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == thread {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        before(info);
    }));
    let mut message = BaseRecord::to("orders").headers(strange());
    record(|| receive_borrowed(message.headers.as_ref().map(OwnedHeaders::as_borrowed)));
    record(|| send(&mut message));
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    // Two names that are no text, `kept`, and the new `traceparent`.
    let headers = message.headers.expect("headers");
    assert_eq!(headers.count(), 4);
    assert_eq!(headers.get(2).key, "kept");
    assert_eq!(headers.get(3).key, "traceparent");
}

#[test]
fn a_message_is_sent() {
    let mut message = BaseRecord::to("orders").headers(with_pairs(OwnedHeaders::new()));
    let recording = record(|| send(&mut message));
    assert_sent(&recording, pairs(message.headers.as_ref()));

    let mut message = BaseRecord::to("orders");
    record(|| send(&mut message));
    assert_eq!(pairs(message.headers.as_ref()).count(), 1);
}

fn pairs(headers: Option<&OwnedHeaders>) -> impl Iterator<Item = (&str, &str)> {
    headers
        .expect("headers")
        .iter()
        .map(|header| (header.key, str::from_utf8(header.value.expect("a value")).expect("text")))
}

const KEY: &str = "key";

#[span("send", kind(producer), ..record, ok(|delivery| ..delivery))]
fn send_described(
    record: &BaseRecord<'_, str, str>,
    delivery: Delivery,
) -> Result<Delivery, KafkaError> {
    Ok(delivery)
}

#[span("send", kind(producer), ..record)]
fn send_bytes(record: FutureRecord<'_, [u8], [u8]>) {}

#[propagate(message, link(message))]
#[span("process", kind(consumer), ..message, ..ServerAddress::of("broker:9092,other:9092"))]
fn process(message: &OwnedMessage) {}

fn delivery(partition: i32, offset: i64) -> Delivery {
    Delivery { partition, offset, timestamp: Timestamp::NotAvailable }
}

#[test]
fn records_are_groups_of_attributes() {
    let record_to_send = BaseRecord::to("orders").key(KEY).payload("payload");
    let tree = record(|| send_described(&record_to_send, delivery(3, 42))).to_string();
    let sent = "send [producer] messaging.system=\"kafka\" messaging.operation.name=\"send\" \
                messaging.operation.type=\"send\" messaging.destination.name=\"orders\"";
    let delivered = "messaging.destination.partition.id=\"3\" messaging.kafka.offset=42\n";
    assert_eq!(tree, format!("{sent} messaging.kafka.message.key=\"key\" {delivered}"));
    // What is not known is left out, and so is a key that is no text.
    let tree = record(|| send_described(&record_to_send, delivery(-1, -1001))).to_string();
    assert_eq!(tree, format!("{sent} messaging.kafka.message.key=\"key\"\n"));
    let tombstone = FutureRecord::to("orders").key(&b"\xff"[..]).partition(7);
    let tree = record(|| send_bytes(tombstone)).to_string();
    let rest = "messaging.destination.partition.id=\"7\" messaging.kafka.message.tombstone=true\n";
    assert_eq!(tree, format!("{sent} {rest}"));
}

#[test]
fn messages_are_groups_of_attributes_and_link_their_sender() {
    let recording = record(|| process(&message(Some(with_pairs(OwnedHeaders::new())))));
    let span = &recording.spans()[0];
    assert_eq!(span.links.links.len(), 1);
    assert_eq!(
        span.links.links[0].span_context.span_id(),
        span.parent_span_id,
        "it is the parent as well"
    );
    let tree = recording.to_string();
    let expected = "process [consumer] messaging.system=\"kafka\" messaging.operation.name=\"process\" \
                    messaging.operation.type=\"process\" messaging.destination.name=\"orders\"";
    assert!(tree.starts_with(expected), "{tree}");
    assert!(tree.contains("server.address=\"broker\" server.port=9092"), "{tree}");
}

#[span("send")]
fn fails(error: KafkaError) -> Result<(), KafkaError> {
    Err(error)
}

#[span("send")]
fn fails_with_message(error: KafkaError) -> Result<(), (KafkaError, OwnedMessage)> {
    Err((error, message(None)))
}

#[test]
fn the_type_of_an_error_is_kafka_s_code() {
    let unknown = || KafkaError::MessageProduction(RDKafkaErrorCode::UnknownTopicOrPartition);
    for recording in [record(|| fails(unknown())), record(|| fails_with_message(unknown()))] {
        let tree = recording.to_string();
        let failed = "error.type=\"UNKNOWN_TOPIC_OR_PARTITION\" ✗ Message production error: UnknownTopicOrPartition";
        assert!(tree.starts_with(&format!("send {failed}")), "{tree}");
        assert!(tree.contains("exception.type=\"rdkafka::error::KafkaError\""), "{tree}");
        assert!(!tree.contains("payload"), "{tree}");
    }
    let tree = record(|| fails(KafkaError::Canceled)).to_string();
    assert!(tree.starts_with("send error.type=\"rdkafka::error::KafkaError\" ✗"), "{tree}");
}
