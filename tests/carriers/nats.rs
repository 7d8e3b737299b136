//! `async-nats`.

use async_nats::HeaderMap;
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
