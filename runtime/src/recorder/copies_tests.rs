//! The bytes of slots and buffers say all that is recorded, without the types round them: one day they are to be in a file
//! that outlives the process.

use std::sync::Arc;

use opentelemetry::trace::Status;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

use super::decode::decode;
use super::local::{Local, SlotRef};
use super::outlet::{Outlet, Room};
use super::record::{HEAD, LENGTH_BYTES, OPEN, Record};
use super::scope::ScopeId;
use super::{Batch, test_spans};
use crate::encoding::ValueRef;

const PIPELINE: usize = 7;

/// Takes nothing: what has ended stays in the buffer.
#[derive(Debug)]
struct Patient;

impl Outlet for Patient {
    fn spans_at_once(&self) -> usize {
        100
    }

    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn take(&self, _batch: Batch) {}
}

fn open(local: &'static Local, name: &str) -> SlotRef {
    let scope = ScopeId::of(&InstrumentationScope::builder("copies").build());
    let outlet: Arc<dyn Outlet> = Arc::new(Patient);
    test_spans::open(local, (PIPELINE, &outlet), scope, name)
}

/// The spans in a region, each with whether it is open.
fn read(mut region: &[u8]) -> Vec<(SpanData, bool)> {
    let mut spans = Vec::new();
    while let Some((length, _)) = region.split_first_chunk() {
        let length = u32::from_le_bytes(*length);
        let end = HEAD + usize::try_from(length & !OPEN).expect("it fits");
        let (record, rest) = region.split_at(end);
        let (scope, message) = record[LENGTH_BYTES..].split_first_chunk().expect("a scope");
        let scope = ScopeId(u32::from_le_bytes(*scope));
        spans.push((decode(Record { scope, message }), length & OPEN != 0));
        region = rest;
    }
    spans
}

/// Names, whether they are open, and the numbers of attributes and events.
fn summary(regions: &[Vec<u8>]) -> Vec<(String, bool, usize, usize)> {
    let spans = regions.iter().flat_map(|region| read(region));
    let summary = |(span, is_open): (SpanData, bool)| {
        assert_eq!(span.instrumentation_scope.name(), "copies");
        (span.name.into_owned(), is_open, span.attributes.len(), span.events.len())
    };
    spans.map(summary).collect()
}

#[test]
fn open_and_ended_spans_can_be_read_from_copies_of_their_bytes() {
    let local = Local::new();
    let [first, second] = ["first", "second"].map(|name| open(local, name));
    first.with(|span| span.set_attribute("a", ValueRef::I64(1)));
    second.with(|span| span.add_event("event", Some(5), &[KeyValue::new("b", "text")]));
    second.with(|span| span.set_status(&Status::error("gone wrong")));
    let (slots, buffer) = local.copies();
    assert_eq!(
        summary(&slots),
        [("first".to_owned(), true, 1, 0), ("second".to_owned(), true, 0, 1)]
    );
    assert!(buffer.is_empty());
    first.end(Some(9));
    second.with(|span| span.rename("renamed"));
    let (slots, buffer) = local.copies();
    assert_eq!(summary(&slots), [("renamed".to_owned(), true, 0, 1)]);
    assert_eq!(summary(&[buffer]), [("first".to_owned(), false, 1, 0)]);
    second.end(Some(9));
    let (slots, buffer) = local.copies();
    assert!(summary(&slots).is_empty());
    let ended = ["first", "renamed"].map(str::to_owned);
    assert_eq!(summary(&[buffer]).into_iter().map(|span| span.0).collect::<Vec<_>>(), ended);
}
