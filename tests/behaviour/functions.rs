//! The shapes of functions that can be spans.

use crate::recorder::record;
use spandrel::span;

#[span]
fn unnamed() -> u32 {
    7
}

#[span("named", kind(server))]
fn named() {
    unnamed();
    unnamed();
}

#[test]
fn a_span_has_the_function_s_name_or_its_own() {
    assert_eq!(record(named).to_string(), "named [server]\n├─ unnamed\n└─ unnamed\n");
}

#[test]
fn the_value_is_the_function_s() {
    assert_eq!(unnamed(), 7);
    let mut value = 0;
    record(|| value = unnamed());
    assert_eq!(value, 7);
}

#[span(kind(client))]
fn client() {}
#[span(kind(producer))]
fn producer() {}
#[span(kind(consumer))]
fn consumer() {}
#[span(kind(internal))]
fn internal() {}

#[test]
fn every_kind_can_be_named() {
    let all = || {
        client();
        producer();
        consumer();
        internal();
    };
    let tree = "client [client]\nproducer [producer]\nconsumer [consumer]\ninternal\n";
    assert_eq!(record(all).to_string(), tree);
}

const NAME: &str = "from a constant";

mod names {
    pub(crate) const OTHER: &str = "from a path";
}

#[span(NAME)]
fn constant() {}

#[span(names::OTHER)]
fn path() {}

#[test]
fn a_constant_can_be_the_name() {
    let tree = "from a constant\nfrom a path\n";
    assert_eq!(
        record(|| {
            constant();
            path();
        })
        .to_string(),
        tree
    );
}

struct Counter(u32);

impl Counter {
    #[span("new")]
    fn new() -> Self {
        Self(0)
    }

    #[span("peek", count = self.0)]
    fn peek(&self) -> &u32 {
        &self.0
    }

    #[span("add", by = by)]
    fn add(&mut self, by: u32) -> &mut Self {
        self.0 += by;
        self
    }

    #[span("into")]
    fn into_inner(self: Box<Self>) -> u32 {
        self.0
    }
}

trait Shape {
    #[span("default", sides = self.sides())]
    fn describe(&self) -> String {
        format!("{} sides", self.sides())
    }

    fn sides(&self) -> u32;
}

struct Square;

impl Shape for Square {
    #[span("sides")]
    fn sides(&self) -> u32 {
        4
    }
}

#[test]
fn methods_are_spans() {
    let recording = record(|| {
        let mut counter = Counter::new();
        assert_eq!(*counter.add(2).add(3).peek(), 5);
        assert_eq!(Box::new(counter).into_inner(), 5);
    });
    assert_eq!(recording.to_string(), "new\nadd by=2\nadd by=3\npeek count=5\ninto\n");
}

#[test]
fn trait_methods_are_spans() {
    let recording = record(|| Square.describe());
    assert_eq!(recording.to_string(), "default sides=4\n└─ sides\nsides\n");
}

#[span("generic", value = ?value)]
fn generic<'a, T, const N: usize>(value: &'a [T; N], mut sink: Vec<&'a T>) -> usize
where
    T: std::fmt::Debug,
{
    sink.extend(value);
    sink.len()
}

#[span("destructured", x = x)]
fn destructured((x, [_, y]): (i32, [i32; 2]), Counter(z): Counter) -> i32 {
    if x > 100 {
        return 0;
    }
    x + y + i32::try_from(z).unwrap_or_default()
}

#[test]
fn generics_and_patterns_stay_as_they_are() {
    let recording = record(|| {
        assert_eq!(generic(&[1, 2, 3], Vec::new()), 3);
        assert_eq!(destructured((1, [2, 3]), Counter(4)), 8);
    });
    assert_eq!(recording.to_string(), "generic value=\"[1, 2, 3]\"\ndestructured x=1\n");
}

#[span]
fn dynamic(input: &str) -> Box<dyn Fn() -> usize + '_> {
    Box::new(move || input.len())
}

#[span]
fn r#type() {}

#[test]
fn coercions_and_raw_names_work() {
    let recording = record(|| {
        assert_eq!(dynamic("four")(), 4);
        r#type();
    });
    assert_eq!(recording.to_string(), "dynamic\ntype\n");
}

/// A module where the names that an expansion needs mean something else.
mod shadowed {
    #![allow(dead_code, non_snake_case)]

    use super::span;

    mod std {}
    mod core {}
    mod spandrel {}
    struct Result;
    struct Option;
    struct Some;
    fn Ok() {}
    const CALLSITE: u32 = 3;

    #[span("shadowed", site = CALLSITE, attributes = attributes)]
    pub(super) fn shadowed(attributes: u32) -> ::std::result::Result<u32, ::std::string::String> {
        ::std::result::Result::Err(::std::format!("no {attributes}"))
    }
}

#[test]
fn shadowed_names_do_no_harm() {
    let tree = "shadowed site=3 attributes=1 error.type=\"alloc::string::String\" ✗ no 1\n  \
                • exception exception.type=\"alloc::string::String\" exception.message=\"no 1\"\n";
    assert_eq!(record(|| shadowed::shadowed(1)).to_string(), tree);
}
