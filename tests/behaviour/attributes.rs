//! What is recorded of the values that a span names.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::recorder::record;
use spandrel::{Callsite, SpanKind, ToAttribute, Value, span};
use url::Url;
use uuid::Uuid;

#[span("keys", dotted.path = 1, "quoted-key" = 2, error.r#type = "x", r#match = true)]
fn keys() {}

#[test]
fn keys_are_dotted_or_quoted() {
    let tree = "keys dotted.path=1 quoted-key=2 error.type=\"x\" match=true\n";
    assert_eq!(record(keys).to_string(), tree);
}

struct Point(i32, i32);

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}

#[span("sigils", display = %point, debug = ?point, sum = point.0 + point.1)]
fn sigils(point: Point) -> Point {
    point
}

#[test]
fn sigils_choose_the_trait() {
    let tree = "sigils display=\"1:2\" debug=\"P1\" sum=3\n";
    assert_eq!(record(|| sigils(Point(1, 2))).to_string(), tree);
}

#[span(
    "types",
    int = -1_i8,
    wide = u64::MAX,
    fits = 5_u128,
    float = 0.5_f32,
    yes = true,
    letter = 'x',
    text = text,
    owned = text.to_owned(),
    cow = Cow::Borrowed(text),
    nothing = None::<i32>,
    something = Some(3),
    seconds = Duration::from_millis(1500),
    path = Path::new("a/b"),
    address = std::net::Ipv4Addr::LOCALHOST,
    numbers = [1, 2, 3],
    texts = vec!["a", "b"],
    boxed = Box::new(4),
)]
fn types(text: &str) {}

#[test]
fn types_record_as_what_they_are() {
    let tree = "types int=-1 wide=\"18446744073709551615\" fits=5 float=0.5 yes=true letter=\"x\" \
                text=\"t\" owned=\"t\" cow=\"t\" something=3 seconds=1.5 path=\"a/b\" \
                address=\"127.0.0.1\" numbers=[1,2,3] texts=[\"a\", \"b\"] boxed=4\n";
    assert_eq!(record(|| types("t")).to_string(), tree);
}

#[span(
    "more",
    size = size,
    count = NonZero::new(3_u64),
    wide = [u64::MAX, 1],
    fits = vec![1_usize, 2],
    words = words.as_slice(),
    references = [&1.5, &2.5],
    flags = &[true, false],
    letters = ['a', 'b'],
    cows = vec![Cow::Borrowed("c")],
    shared = Arc::<str>::from("shared"),
    socket = SocketAddr::from(([127, 0, 0, 1], 80)),
    os = OsStr::new("os"),
    url = Url::parse("http://localhost/a").expect("a URL"),
    uuid = Uuid::nil(),
    nested = Some(&Some(words.len())),
    unsized_text = *unsized_text,
)]
fn more(size: isize, words: &[String; 2], unsized_text: &&str) {}

#[test]
fn lists_references_and_wrappers_record_as_what_is_in_them() {
    let tree = "more size=-1 count=3 wide=[\"18446744073709551615\", \"1\"] fits=[1,2] \
                words=[\"x\", \"y\"] references=[1.5,2.5] flags=[true,false] \
                letters=[\"a\", \"b\"] cows=[\"c\"] shared=\"shared\" socket=\"127.0.0.1:80\" \
                os=\"os\" url=\"http://localhost/a\" \
                uuid=\"00000000-0000-0000-0000-000000000000\" nested=2 unsized_text=\"t\"\n";
    let words = ["x".to_owned(), "y".to_owned()];
    assert_eq!(record(|| more(-1, &words, &"t")).to_string(), tree);
}

struct Celsius(f64);

impl ToAttribute for Celsius {
    fn to_attribute(&self) -> Option<Value> {
        (self.0 > -273.15).then(|| self.0.into())
    }
}

#[span("own", warm = Celsius(20.5), impossible = Celsius(-300.0))]
fn own_type() {}

#[test]
fn a_type_of_one_s_own_can_be_a_value() {
    assert_eq!(record(own_type).to_string(), "own warm=20.5\n");
}

thread_local!(static EVALUATED: Cell<u32> = const { Cell::new(0) });

fn evaluate() -> u32 {
    EVALUATED.with(|count| {
        count.set(count.get() + 1);
        count.get()
    })
}

#[span("evaluated", times = evaluate())]
fn evaluated() {}

#[test]
fn expressions_are_evaluated_once_and_only_when_recorded() {
    evaluated();
    assert_eq!(EVALUATED.get(), 0);
    assert_eq!(record(evaluated).to_string(), "evaluated times=1\n");
    assert_eq!(EVALUATED.get(), 1);
}

#[span("moved", length = text.len())]
fn moved(text: String) -> String {
    text
}

#[test]
fn attributes_are_taken_before_arguments_move() {
    assert_eq!(record(|| moved("four".to_owned())).to_string(), "moved length=4\n");
}

/// Spans of two libraries.
static OURS: Callsite = Callsite::new("ours", SpanKind::Internal, "ours", None);
static THEIRS: Callsite = Callsite::new("theirs", SpanKind::Internal, "theirs", None);

#[test]
fn an_attribute_may_come_from_a_function_with_a_span_of_its_own() {
    let recording = record(|| {
        drop(OURS.start(|_| {}));
        drop(OURS.start(|attributes| {
            drop(THEIRS.start(|_| {}));
            attributes.set("answer", &42);
        }));
    });
    assert_eq!(recording.to_string(), "ours\nours answer=42\ntheirs\n");
}

#[span("boom", fuse = burns())]
fn boom() {}

fn burns() -> u32 {
    panic!("too short")
}

#[test]
fn an_attribute_that_panics_is_a_span_that_panics() {
    let recording = record(|| {
        std::panic::catch_unwind(boom).expect_err("it panics");
    });
    let tree = recording.to_string();
    assert!(tree.starts_with("boom error.type=\"panic\" ✗ too short\n"), "{tree}");
}

#[span("later")]
fn later() {
    let span = spandrel::current();
    assert!(span.is_recording());
    span.set("found", true);
    span.event("halfway", [spandrel::KeyValue::new("at", 2)]);
    span.fail("gave up");
    assert_eq!(span.trace_id(), spandrel::current_trace_id());
}

#[test]
fn the_current_span_takes_more() {
    assert_eq!(record(later).to_string(), "later found=true ✗ gave up\n  • halfway at=2\n");
    later_without_a_recorder();
}

fn later_without_a_recorder() {
    assert!(!spandrel::current().is_recording());
    assert_eq!(spandrel::current_trace_id(), spandrel::TraceId::INVALID);
}
