//! What is recorded of the values that a span names.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use spandrel::span;
use spandrel::testing::record;

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
