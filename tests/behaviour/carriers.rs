//! Requests, and carriers that may be missing. Those of clients are in `tests/carriers`.

use std::collections::{BTreeMap, HashMap};

use crate::recorder::record;
use spandrel::testing::Recording;
use spandrel::{TraceContext, propagate, span};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn assert_continues(recording: &Recording) {
    assert_eq!(recording.spans()[0].parent_span_id.to_string(), "00f067aa0ba902b7");
}

fn assert_starts(recording: &Recording) {
    assert_eq!(recording.spans()[0].parent_span_id.to_string(), "0000000000000000");
}

#[propagate(request)]
#[span("whole")]
fn whole(request: http::Request<()>) {}

#[propagate(parts)]
#[span("parts")]
fn parts(parts: &http::request::Parts) {}

#[propagate(inject(request))]
#[span("send")]
fn send(mut request: http::Request<()>) -> http::Request<()> {
    request
}

#[propagate(inject(parts))]
#[span("send")]
fn send_parts(parts: &mut http::request::Parts) {}

#[test]
fn requests_are_carriers() {
    let request =
        || http::Request::builder().header("Traceparent", PARENT).body(()).expect("a request");
    assert_continues(&record(|| whole(request())));
    assert_continues(&record(|| parts(&request().into_parts().0)));

    record(|| {
        let sent = send(request());
        let (mut parts, ()) = request().into_parts();
        send_parts(&mut parts);
        for headers in [sent.headers(), &parts.headers] {
            let parents: Vec<_> = headers.get_all("traceparent").iter().collect();
            assert!(parents.len() == 1 && parents[0] != PARENT, "{parents:?}");
        }
    });
}

type Headers = HashMap<String, String>;

/// Of a carrier, of an extractor, and of a borrowed one of each.
#[derive(Default)]
struct Message {
    list: Option<BTreeMap<String, String>>,
    headers: Option<Headers>,
    trace_context: Option<TraceContext>,
}

#[propagate(message.list)]
#[span("carrier")]
fn carrier(message: &Message) {}

#[propagate(message.headers)]
#[span("extractor")]
fn extractor(message: &Message) {}

#[propagate(list)]
#[span("borrowed-carrier")]
fn borrowed_carrier(list: Option<&BTreeMap<String, String>>) {}

#[propagate(headers)]
#[span("borrowed-extractor")]
fn borrowed_extractor(headers: Option<&Headers>) {}

#[propagate(inject(message.list))]
#[span("into-carrier")]
fn into_carrier(message: &mut Message) {}

#[propagate(inject(message.headers))]
#[span("into-injector")]
fn into_injector(message: &mut Message) {}

#[propagate(inject(message.trace_context))]
#[span("into-body")]
fn into_body(message: &mut Message) {}

#[test]
fn what_is_missing_is_empty() {
    let headers = || Headers::from([("traceparent".to_owned(), PARENT.to_owned())]);
    let message = Message {
        list: Some(headers().into_iter().collect()),
        headers: Some(headers()),
        trace_context: None,
    };
    for (message, check) in
        [(message, assert_continues as fn(&Recording)), (Message::default(), assert_starts)]
    {
        check(&record(|| carrier(&message)));
        check(&record(|| extractor(&message)));
        check(&record(|| borrowed_carrier(message.list.as_ref())));
        check(&record(|| borrowed_extractor(message.headers.as_ref())));
    }
}

#[test]
fn what_is_missing_is_made_to_be_written_to() {
    let mut message = Message::default();
    record(|| {
        into_carrier(&mut message);
        into_injector(&mut message);
        into_body(&mut message);
    });
    assert!(message.list.expect("a list").contains_key("traceparent"));
    assert!(message.headers.expect("headers").contains_key("traceparent"));
    assert!(!message.trace_context.expect("a context").is_empty());
}
