//! `tonic`.

use spandrel::testing::record;
use spandrel::{propagate, span};
use tonic::Request;
use tonic::metadata::{KeyAndValueRef, MetadataKey, MetadataMap, MetadataValue};

use crate::{PAIRS, assert_received, assert_sent};

#[propagate(request)]
#[span("Stock/Take", kind(server))]
fn take(request: Request<()>) {}

#[propagate(inject(request))]
#[span("Stock/Take", kind(client))]
fn call(request: &mut Request<()>) {}

#[propagate(metadata, inject(metadata))]
#[span("forward")]
fn forward(metadata: &mut MetadataMap) {}

fn request() -> Request<()> {
    let mut request = Request::new(());
    let metadata = request.metadata_mut();
    for (name, value) in PAIRS {
        let name = MetadataKey::from_bytes(name.as_bytes()).expect("a name");
        metadata.append(name, value.parse().expect("a value"));
    }
    metadata.append_bin("trace-bin", MetadataValue::from_bytes(&[0xff]));
    request
}

fn pairs(metadata: &MetadataMap) -> impl Iterator<Item = (&str, &str)> {
    metadata.iter().filter_map(|entry| match entry {
        KeyAndValueRef::Ascii(name, value) => Some((name.as_str(), value.to_str().ok()?)),
        KeyAndValueRef::Binary(..) => None,
    })
}

#[test]
fn a_call_is_received() {
    assert_received(&record(|| take(request())), "a=1,b=2");
}

#[test]
fn a_call_is_made() {
    let mut request = request();
    let recording = record(|| call(&mut request));
    assert_sent(&recording, pairs(request.metadata()));
    assert_eq!(request.metadata().get_all_bin("trace-bin").iter().count(), 1);
}

#[test]
fn metadata_is_passed_on() {
    let mut request = request();
    let recording = record(|| forward(request.metadata_mut()));
    assert_received(&recording, "a=1,b=2");
    assert_sent(&recording, pairs(request.metadata()));
}
