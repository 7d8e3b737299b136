//! What becomes of full buffers: a request round their bytes.

use std::thread::{self, JoinHandle};

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use super::local::{self, Buffer};
use super::wire::{Bytes, LENGTH_DELIMITED, field_length, key};

/// A thread that lets go of what it is handed, until this is dropped.
pub(crate) struct Discarding(Option<JoinHandle<()>>);

impl Discarding {
    pub(crate) fn start() -> Self {
        local::open();
        Self(Some(thread::spawn(|| while local::next(1).is_some() {})))
    }
}

impl Drop for Discarding {
    fn drop(&mut self) {
        local::close();
        if let Some(thread) = self.0.take() {
            thread.join().expect("it does not panic");
        }
    }
}

/// Sends what is handed over, so many buffers a request, until the queue is closed; how many spans
/// were taken.
pub(crate) fn send_all(endpoint: &str, at_once: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let client = Client::new();
    let url = format!("{endpoint}/v1/traces");
    let mut sent = 0;
    while let Some(buffers) = local::next(at_once) {
        let request = client
            .post(&url)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(request(&buffers, "benches"));
        let response = runtime.block_on(request.send()).expect("an answer");
        assert!(response.status().is_success());
        let spans = buffers.iter().map(|buffer| buffer.spans).sum();
        local::count_sent(spans);
        sent += spans;
    }
    sent
}

/// An `ExportTraceServiceRequest` of one scope.
pub(crate) fn request(buffers: &[Buffer], service: &str) -> Vec<u8> {
    let mut value = Vec::new();
    value.field(1, service.as_bytes());
    let mut pair = Vec::new();
    pair.field(1, b"service.name");
    pair.field(2, &value);
    let mut resource = Vec::new();
    resource.field(1, &pair);
    let mut scope = Vec::new();
    scope.field(1, b"benches");

    let spans: usize = buffers.iter().map(|buffer| buffer.bytes.len()).sum();
    let scope_spans = field_length(scope.len()) + spans;
    let resource_spans = field_length(resource.len()) + field_length(scope_spans);
    let mut request = Vec::with_capacity(field_length(resource_spans));
    request.byte(key(1, LENGTH_DELIMITED));
    request.length(resource_spans);
    request.field(1, &resource);
    request.byte(key(2, LENGTH_DELIMITED));
    request.length(scope_spans);
    request.field(1, &scope);
    for buffer in buffers {
        request.raw(&buffer.bytes);
    }
    request
}
