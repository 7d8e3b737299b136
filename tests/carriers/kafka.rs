//! `rdkafka`.

use rdkafka::Message;
use rdkafka::bindings::{rd_kafka_header_add, rd_kafka_headers_t};
use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders, OwnedMessage, Timestamp};
use rdkafka::producer::BaseRecord;
use spandrel::testing::record;
use spandrel::{propagate, span};

use crate::{PAIRS, assert_received, assert_sent};

#[propagate(message.headers())]
#[span("receive", kind(consumer))]
fn receive(message: &OwnedMessage) {}

#[propagate(headers)]
#[span("receive", kind(consumer))]
fn receive_borrowed(headers: Option<&BorrowedHeaders>) {}

#[propagate(inject(record.headers))]
#[span("send", kind(producer))]
fn send(record: &mut BaseRecord<'_, str, str>) {}

fn with_pairs(headers: OwnedHeaders) -> OwnedHeaders {
    PAIRS
        .into_iter()
        .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
}

/// A message with a value that is no text, one that is missing, and a name that is no text.
fn strange() -> OwnedHeaders {
    let headers = OwnedHeaders::new()
        .insert(Header { key: "baggage", value: Some(&[0xff]) })
        .insert(Header::<&str> { key: "baggage", value: None });
    let native = std::ptr::from_ref(headers.as_borrowed()).cast::<rd_kafka_headers_t>().cast_mut();
    // SAFETY: `headers` is alive and not shared, and name and value are copied.
    unsafe { rd_kafka_header_add(native, c"\xff".as_ptr(), 1, c"".as_ptr().cast(), 0) };
    with_pairs(headers)
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

#[test]
fn headers_that_are_no_text_are_passed_over() {
    let headers = strange();
    assert_received(&record(|| receive_borrowed(Some(headers.as_borrowed()))), "a=1,b=2");
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
