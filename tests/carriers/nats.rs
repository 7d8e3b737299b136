//! `async-nats`.

use async_nats::{HeaderMap, Message};
use spandrel::testing::record;
use spandrel::{propagate, span};

use crate::{PAIRS, assert_received, assert_sent};

#[propagate(headers)]
#[span("receive", kind(consumer))]
fn receive(headers: Option<HeaderMap>) {}

#[propagate(inject(headers))]
#[span("publish", kind(producer))]
fn publish(headers: &mut HeaderMap) {}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in PAIRS {
        headers.append(name, value);
    }
    headers
}

#[test]
fn a_message_is_received() {
    assert_received(&record(|| receive(Some(headers()))), "a=1,b=2");
    record(|| receive(None));
}

#[test]
fn a_message_is_published() {
    let mut headers = headers();
    let recording = record(|| publish(&mut headers));
    let pairs = headers
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| (name.as_ref(), value.as_str())));
    assert_sent(&recording, pairs);
}

#[span("process", kind(consumer), ..message)]
fn process(message: &Message) {}

#[test]
fn a_message_is_a_group_of_attributes() {
    let mut headers = headers();
    headers.append("Nats-Msg-Id", "m-1");
    let mut message = Message {
        subject: "orders.placed".into(),
        reply: None,
        payload: b"order"[..].into(),
        headers: Some(headers),
        status: None,
        description: None,
        length: 5,
    };
    let expected = "process [consumer] messaging.system=\"nats\" messaging.operation.name=\"process\" \
                    messaging.operation.type=\"process\" messaging.destination.name=\"orders.placed\"";
    let tree = record(|| process(&message)).to_string();
    assert_eq!(tree, format!("{expected} messaging.message.id=\"m-1\"\n"));
    message.headers = None;
    assert_eq!(record(|| process(&message)).to_string(), format!("{expected}\n"));
}
