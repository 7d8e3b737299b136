//! `rdkafka`.

use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::SpanId;
use rdkafka::Message;
use rdkafka::bindings::{rd_kafka_header_add, rd_kafka_headers_t};
use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders, OwnedMessage, Timestamp};
use rdkafka::producer::BaseRecord;
use spandrel::testing::record;
use spandrel::{Context, propagate, span};

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
