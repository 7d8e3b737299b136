//! Groups of attributes, and what is recorded on the current span.

use std::collections::BTreeMap;
use std::io;

use opentelemetry::{Key, KeyValue};
use spandrel::{Attributes, ToAttributes, span};

use crate::recorder::record;

#[derive(ToAttributes)]
struct Request<'a, B: ?Sized> {
    #[attribute("http.request.method")]
    method: &'a str,
    retries: Option<u32>,
    r#type: char,
    #[attribute(%)]
    port: std::num::Saturating<u16>,
    #[attribute("shape", ?)]
    shape: (u8, u8),
    #[attribute(skip)]
    body: &'a B,
    #[attribute(..)]
    caller: Option<Caller>,
}

#[derive(ToAttributes)]
struct Caller {
    #[attribute("tenant.id")]
    tenant: u64,
}

fn request(body: &str) -> Request<'_, str> {
    let (port, caller) = (std::num::Saturating(80), Some(Caller { tenant: 7 }));
    Request { method: "GET", retries: None, r#type: 'a', port, shape: (1, 2), body, caller }
}

#[span("handle", ..request, "http.request.method" = "POST", ..[("extra", request.body.len())])]
fn handle(request: &Request<'_, str>) {}

#[span(ok(|caller| ..caller, found = true), err(|error| ..*error))]
fn find(good: bool) -> Result<Caller, BTreeMap<&'static str, i64>> {
    if good { Ok(Caller { tenant: 7 }) } else { Err([("code", 404)].into()) }
}

#[span(..evaluated())]
async fn later() {}

fn evaluated() -> [(&'static str, bool); 1] {
    [("evaluated", true)]
}

#[test]
fn groups_are_recorded_and_keys_win() {
    let expected = "handle retries=";
    let text = record(|| handle(&request("body"))).to_string();
    assert!(!text.contains(expected), "`None` records nothing: {text}");
    for attribute in [
        "http.request.method=\"POST\"",
        "type=\"a\"",
        "port=\"80\"",
        "shape=\"(1, 2)\"",
        "tenant.id=7",
        "extra=4",
    ] {
        assert_eq!(text.matches(attribute).count(), 1, "{attribute}: {text}");
    }
    assert!(!text.contains("GET") && !text.contains("body"), "{text}");
}

#[test]
fn groups_of_values_and_errors_are_recorded() {
    let text = record(|| drop((find(true), find(false)))).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "find tenant.id=7 found=true");
    assert!(lines[1].starts_with("find code=404 "), "{text}");
}

#[tokio::test]
async fn groups_of_futures_are_recorded() {
    let text = crate::recorder::record_async(later()).await.to_string();
    assert_eq!(text, "later evaluated=true\n");
}

#[span]
fn current(key: String) {
    let span = spandrel::current();
    span.set(key.clone(), 1);
    span.set("static", "text");
    span.set(Key::new("key"), 0.5);
    span.set_all([KeyValue::new(key, 2), KeyValue::new("value", true)]);
    span.event("plain", ());
    span.event(format!("event {}", 1), [("attempt", 3_u64)]);
    span.event("more", vec![KeyValue::new("a", 1), KeyValue::new("b", "x")]);
    span.rename(format!("{}d", "rename"));
}

#[test]
fn the_current_span_takes_owned_keys_groups_and_names() {
    let recording = record(|| current("owned".to_owned()));
    assert_eq!(
        recording.to_string(),
        "renamed owned=2 static=\"text\" key=0.5 value=true\n\
         \u{20} • plain\n  • event 1 attempt=3\n  • more a=1 b=\"x\"\n"
    );
}

#[span]
fn goes_on() -> u32 {
    let error = io::Error::other(io::Error::new(io::ErrorKind::NotFound, "no such file"));
    spandrel::current().error(&error);
    1
}

#[span]
fn inner() -> Result<(), io::Error> {
    Err(io::Error::other("gone"))
}

#[span]
fn handles() {
    if let Err(error) = inner() {
        spandrel::current().error(&error);
    }
}

#[test]
fn an_error_that_is_handled_is_recorded_once() {
    let recording = record(goes_on);
    let [span] = recording.spans() else { panic!("{recording}") };
    assert!(
        matches!(&span.status, opentelemetry::trace::Status::Error { description } if description == "no such file")
    );
    assert_eq!(span.events.len(), 1, "{recording}");
    assert!(span.attributes.contains(&KeyValue::new("error.type", "std::io::error::Error")));
    let text = record(handles).to_string();
    assert_eq!(text.matches("• exception").count(), 1, "{text}");
    assert_eq!(text.matches('✗').count(), 2, "{text}");
    spandrel::current().error(&io::Error::other("nothing records"));
}

macro_rules! derived {
    ($name:ident, $field:ident, $ty:ident) => {
        #[derive(ToAttributes)]
        struct $name {
            $field: $ty,
        }
    };
}

derived!(ByMacro, field, u64);

#[derive(ToAttributes)]
struct Generic<'a, 'b, T> {
    a: &'a str,
    b: &'b str,
    c: &'a T,
    d: &'b T,
    e: T,
}

#[derive(ToAttributes)]
struct List<T> {
    value: T,
    #[attribute(..)]
    next: Option<Box<List<T>>>,
}

#[derive(ToAttributes)]
struct Old {
    #[deprecated]
    value: u64,
}

#[test]
fn structs_of_any_form_are_groups() {
    let generic = Generic { a: "a", b: "b", c: &1, d: &2, e: 3 };
    let next = List { value: 1, next: Some(Box::new(List { value: 2, next: None })) };
    #[allow(deprecated)]
    let old = Old { value: 4 };
    let groups = || {
        spandrel::current().set_all(&generic);
        spandrel::current().set_all(&next);
        spandrel::current().set_all(&ByMacro { field: 5 });
        spandrel::current().set_all(&old);
    };
    let text = record(|| with(&groups)).to_string();
    assert_eq!(text, "with a=\"a\" b=\"b\" c=1 d=2 e=3 value=4 field=5\n");
}

#[span]
fn with(body: &dyn Fn()) {
    body();
}

#[span]
fn records_and_returns() -> Result<(), io::Error> {
    Err(io::Error::other("gone")).inspect_err(|error| spandrel::current().error(&error))
}

#[test]
fn an_error_that_is_recorded_and_returned_is_one_event() {
    let text = record(|| drop(records_and_returns())).to_string();
    assert_eq!(text.matches("• exception").count(), 1, "{text}");
    assert!(text.contains("exception.type=\"std::io::error::Error\""), "{text}");
}

/// A type of the user's may implement it too.
struct Pair(i64, i64);

impl ToAttributes for Pair {
    fn to_attributes(&self, attributes: &mut Attributes) {
        attributes.set("first", &self.0);
        attributes.set_all(&("second", self.1));
    }
}

#[span(..&pair)]
fn by_hand(pair: Pair) -> i64 {
    let Pair(first, second) = pair;
    first + second
}

#[test]
fn groups_may_be_borrowed_before_they_are_moved() {
    assert_eq!(record(|| _ = by_hand(Pair(1, 2))).to_string(), "by_hand first=1 second=2\n");
}
