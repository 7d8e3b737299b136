//! `tonic`.

use spandrel::testing::record;
use spandrel::{propagate, span};
use tonic::metadata::{KeyAndValueRef, MetadataKey, MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status};

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

#[span("Stock/Take", kind(server))]
fn answer(status: Status) -> Result<Response<()>, Status> {
    if status.code() == Code::Ok { Ok(Response::new(())) } else { Err(status) }
}

#[span("Stock/Take", kind(client))]
fn called(status: Status) -> Result<Response<()>, Status> {
    answer(status)
}

#[test]
fn the_status_decides_whether_a_server_or_a_client_failed() {
    use Code::{
        Aborted, AlreadyExists, Cancelled, DataLoss, DeadlineExceeded, FailedPrecondition,
        Internal, InvalidArgument, NotFound, Ok, OutOfRange, PermissionDenied, ResourceExhausted,
        Unauthenticated, Unavailable, Unimplemented, Unknown,
    };
    let cases = [
        (Ok, "OK", false),
        (Cancelled, "CANCELLED", false),
        (Unknown, "UNKNOWN", true),
        (InvalidArgument, "INVALID_ARGUMENT", false),
        (DeadlineExceeded, "DEADLINE_EXCEEDED", true),
        (NotFound, "NOT_FOUND", false),
        (AlreadyExists, "ALREADY_EXISTS", false),
        (PermissionDenied, "PERMISSION_DENIED", false),
        (ResourceExhausted, "RESOURCE_EXHAUSTED", false),
        (FailedPrecondition, "FAILED_PRECONDITION", false),
        (Aborted, "ABORTED", false),
        (OutOfRange, "OUT_OF_RANGE", false),
        (Unimplemented, "UNIMPLEMENTED", true),
        (Internal, "INTERNAL", true),
        (Unavailable, "UNAVAILABLE", true),
        (DataLoss, "DATA_LOSS", true),
        (Unauthenticated, "UNAUTHENTICATED", false),
    ];
    let failure = |name| format!(" error.type=\"{name}\" ✗ no pears");
    for (code, name, fails) in cases {
        let recording = record(|| called(Status::new(code, "no pears")));
        let tree = recording.to_string();
        let spans: Vec<_> = tree.lines().filter(|line| !line.contains('•')).collect();
        let on_client = if code == Ok { String::new() } else { failure(name) };
        let on_server = if fails { failure(name) } else { String::new() };
        let status = format!("rpc.response.status_code=\"{name}\"");
        assert_eq!(spans[0], format!("Stock/Take [client] {status}{on_client}"));
        assert_eq!(spans[1], format!("└─ Stock/Take [server] {status}{on_server}"));
        assert_eq!(tree.matches("• exception").count(), usize::from(code != Ok), "{tree}");
    }
}
