//! Parameters are what they are without the attribute: when they are dropped, how long what they borrow
//! must live, and how much of a future they take.

// What users may write, tidy or not.
#![allow(
    clippy::manual_async_fn,
    clippy::needless_borrowed_reference,
    clippy::needless_pass_by_ref_mut,
    clippy::no_effect_underscore_binding,
    clippy::toplevel_ref_arg,
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_async,
    clippy::unused_self,
    unused_variables,
    unused_assignments,
    dead_code
)]

use std::cell::RefCell;
use std::future::ready;
use std::pin::Pin;

use futures::FutureExt;
use spandrel::span;

use crate::recorder::{record, record_async};

thread_local!(static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

/// Says when it is dropped.
struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

struct Pair {
    left: Noisy,
    right: Noisy,
}

fn pair() -> Pair {
    Pair { left: Noisy("left"), right: Noisy("right") }
}

/// The same functions twice: plain, and with an attribute.
macro_rules! twice {
    (@ [$($attribute:tt)*] impl $ty:ident { $($method:item)* } $($rest:tt)*) => {
        pub(super) struct $ty(pub(super) Noisy);
        $($attribute)*
        impl $ty { $($method)* }
        twice!(@ [$($attribute)*] $($rest)*);
    };
    (@ [$($attribute:tt)*] $function:item $($rest:tt)*) => {
        $($attribute)*
        $function
        twice!(@ [$($attribute)*] $($rest)*);
    };
    (@ [$($attribute:tt)*]) => {};
    ($($functions:tt)*) => {
        mod plain {
            use super::*;
            twice!(@ [] $($functions)*);
        }
        mod spans {
            use super::*;
            twice!(@ [#[span]] $($functions)*);
        }
    };
}

twice! {
    impl Owner {
        pub(super) fn owned(self, first: Noisy, _: Noisy, _last: Noisy) {
            let _local = Noisy("local");
        }

        pub(super) fn field(self, first: Noisy) -> &'static str {
            self.0.0
        }

        pub(super) async fn later(self, _: Noisy, last: Noisy) {
            ready(()).await;
        }

        pub(super) fn borrowed(&self, first: Noisy, _: Noisy) {}
    }

    pub(super) fn unused(first: Noisy, _: Noisy, _last: Noisy) {}
    pub(super) fn backwards(first: Noisy, second: Noisy, third: Noisy) {
        drop(second);
        let _ = (&third, &first);
    }
    pub(super) fn sometimes(moves: bool, first: Noisy, second: Noisy) -> Option<Noisy> {
        if moves {
            return Some(first);
        }
        None
    }
    pub(super) fn patterns(Pair { left, .. }: Pair, (first, _): (Noisy, Noisy), [.., last]: [Noisy; 2]) {}
    pub(super) fn references(ref first: Noisy, &Pair { ref left, .. }: &Pair, _: Noisy) {}
    pub(super) fn tail(first: Noisy, second: Noisy) -> usize {
        Noisy("temporary").0.len() + first.0.len()
    }
    pub(super) async fn unused_later(first: Noisy, _: Noisy, _last: Noisy) {}
    pub(super) async fn sometimes_later(moves: bool, first: Noisy, second: Noisy) -> Option<Noisy> {
        ready(()).await;
        if moves {
            return Some(first);
        }
        None
    }
    pub(super) async fn patterns_later(Pair { left, .. }: Pair, (first, _): (Noisy, Noisy), mut last: Noisy) {
        ready(()).await;
        last = Noisy("replaced");
        let _ = &last;
    }
    pub(super) async fn waits(first: Noisy, _: Noisy, last: Noisy) {
        let _local = Noisy("local");
        std::future::pending::<()>().await;
    }
    pub(super) fn returned(first: Noisy, _: Noisy, last: Noisy) -> impl Future<Output = ()> {
        async move { drop(last) }
    }
    pub(super) fn boxed(first: Noisy, _: Noisy, last: Noisy) -> Pin<Box<dyn Future<Output = ()>>> {
        let _local = Noisy("local");
        Box::pin(async move {
            let _last = last;
        })
    }
    pub(super) fn closure(first: Noisy, _: Noisy, last: Noisy) -> impl FnOnce() {
        move || drop(last)
    }
}

/// Drops what a call came to.
fn done<T>(_: T) {}

/// Every function, called in every way, and what each call dropped.
macro_rules! calls {
    ($functions:ident) => {{
        use $functions::*;
        let (a, b, c) = (|| Noisy("a"), || Noisy("b"), || Noisy("c"));
        let owner = || Owner(Noisy("owner"));
        let calls: Vec<(&str, Box<dyn Fn()>)> = vec![
            ("owned", Box::new(move || owner().owned(a(), b(), c()))),
            ("field", Box::new(move || done(owner().field(a())))),
            ("later", Box::new(move || done(owner().later(a(), b()).now_or_never()))),
            ("later, not polled", Box::new(move || done(owner().later(a(), b())))),
            ("borrowed", Box::new(move || owner().borrowed(a(), b()))),
            ("unused", Box::new(move || unused(a(), b(), c()))),
            ("backwards", Box::new(move || backwards(a(), b(), c()))),
            ("moved", Box::new(move || done(sometimes(true, a(), b())))),
            ("not moved", Box::new(move || done(sometimes(false, a(), b())))),
            ("patterns", Box::new(move || patterns(pair(), (a(), b()), [b(), c()]))),
            ("references", Box::new(move || references(a(), &pair(), b()))),
            ("tail", Box::new(move || done(tail(a(), b())))),
            ("unused later", Box::new(move || done(unused_later(a(), b(), c()).now_or_never()))),
            ("unused, not polled", Box::new(move || done(unused_later(a(), b(), c())))),
            ("moved later", Box::new(move || done(sometimes_later(true, a(), b()).now_or_never()))),
            ("not moved", Box::new(move || done(sometimes_later(false, a(), b()).now_or_never()))),
            (
                "patterns later",
                Box::new(move || done(patterns_later(pair(), (a(), b()), c()).now_or_never())),
            ),
            ("not polled", Box::new(move || done(patterns_later(pair(), (a(), b()), c())))),
            ("cancelled", Box::new(move || done(waits(a(), b(), c()).now_or_never()))),
            ("returned", Box::new(move || done(returned(a(), b(), c()).now_or_never()))),
            ("returned, not polled", Box::new(move || done(returned(a(), b(), c())))),
            ("boxed", Box::new(move || done(boxed(a(), b(), c()).now_or_never()))),
            ("closure", Box::new(move || closure(a(), b(), c())())),
        ];
        calls
    }};
}

#[test]
fn parameters_are_dropped_as_without_the_attribute_recorded_or_not() {
    for ((name, plain), (_, spans)) in calls!(plain).into_iter().zip(calls!(spans)) {
        plain();
        let expected = DROPPED.take();
        assert!(expected.len() > 1, "{name}: {expected:?}");
        spans();
        assert_eq!(DROPPED.take(), expected, "{name}, not recorded");
        let recording = record(&spans);
        assert_eq!(DROPPED.take(), expected, "{name}, recorded");
        assert_eq!(
            recording.spans().is_empty(),
            name.ends_with("not polled") && name != "returned, not polled",
            "{name}"
        );
    }
}

/// Says whether it was dropped inside a span.
struct Inside;

impl Drop for Inside {
    fn drop(&mut self) {
        spandrel::current().set("dropped", true);
    }
}

#[span]
fn inside(_: Inside) {}

#[span]
async fn inside_later(_: Inside) {
    ready(()).await;
}

#[span]
async fn cancelled(_: Inside) {
    std::future::pending::<()>().await;
}

#[span]
fn closure_inside(_: Inside) -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[tokio::test]
async fn parameters_are_dropped_inside_the_span() {
    let recording = record_async(async {
        inside(Inside);
        inside_later(Inside).await;
        assert_eq!(cancelled(Inside).now_or_never(), None);
        assert_eq!(closure_inside(Inside)("four"), 4);
    })
    .await;
    let tree = "inside dropped=true\ninside_later dropped=true\n\
                cancelled dropped=true spandrel.cancelled=true\nclosure_inside dropped=true\n";
    assert_eq!(recording.to_string(), tree);
}

#[span]
async fn pick(mut word: &str) -> usize {
    let default = String::from("tea");
    if word.is_empty() {
        word = &default;
    }
    word.len()
}

#[span]
async fn pick_one((mut word, others): (&str, &[&str])) -> usize {
    let default = others.concat();
    if word.is_empty() {
        word = &default;
    }
    ready(()).await;
    word.len()
}

#[span]
async fn pick_all(mut words: Vec<&str>) -> usize {
    let default = String::from("tea");
    words.push(&default);
    words.concat().len()
}

#[span]
async fn longest<'a>(words: &'a mut Vec<String>, mut best: &'a str) -> &'a mut String {
    let default = String::from("tea");
    if best.is_empty() {
        words.push(default);
        best = "";
    }
    words.push(best.to_owned());
    &mut words[0]
}

#[test]
fn parameters_may_be_given_what_lives_in_the_body() {
    assert_eq!(pick("").now_or_never(), Some(3));
    assert_eq!(pick_one(("", &["a", "b"])).now_or_never(), Some(2));
    assert_eq!(pick_all(vec!["a"]).now_or_never(), Some(4));
    let mut words = Vec::new();
    assert_eq!(longest(&mut words, "").now_or_never().map(|word| word.len()), Some(3));
}

#[span]
fn configured(
    #[cfg(any())]
    #[record]
    handle: Missing,
    #[cfg(not(any()))]
    #[record]
    handle: u32,
    #[cfg_attr(not(any()), record("number", number + 1), allow(dead_code))] number: u32,
    #[cfg_attr(any(), record)] other: u32,
    #[allow(unused_mut)] mut more: u32,
) -> u32 {
    handle + number + other + more
}

#[test]
fn what_is_configured_out_is_not_recorded() {
    let recording = record(|| assert_eq!(configured(1, 2, 3, 4), 10));
    assert_eq!(recording.to_string(), "configured handle=1 number=3\n");
}

/// Twenty functions, each of which awaits the next.
macro_rules! chain {
    ($last:ident) => {
        #[span]
        async fn $last(text: &str) -> u64 {
            tokio::task::yield_now().await;
            text.len() as u64
        }
    };
    ($first:ident $next:ident $($rest:ident)*) => {
        #[span]
        async fn $first(text: &str) -> u64 {
            $next(text).await + 1
        }
        chain!($next $($rest)*);
    };
}

chain!(a b c d e f g h i j k l m n o p q r s t);

#[tokio::test]
async fn a_deep_chain_needs_no_higher_limit_of_recursion() {
    let recording = record_async(async {
        let task = tokio::spawn(spandrel::InCurrentTrace::in_current_trace(async { a("x").await }));
        assert_eq!(task.await.expect("it does not panic"), 20);
    })
    .await;
    assert_eq!(recording.spans().len(), 20);
}

mod sizes {
    use super::span;

    macro_rules! sized {
        ($module:ident $(#[$attribute:ident])?) => {
            pub(super) mod $module {
                #[allow(unused_imports)]
                use super::*;

                $(#[$attribute])?
                pub(crate) async fn outer(number: u64) -> u64 {
                    inner(number).await
                }

                $(#[$attribute])?
                pub(crate) async fn inner(number: u64) -> u64 {
                    std::future::ready(number).await
                }

                $(#[$attribute])?
                pub(crate) async fn large(bytes: [u8; 1024]) -> usize {
                    std::future::ready(()).await;
                    bytes.len()
                }
            }
        };
    }

    sized!(plain);
    sized!(spans #[span]);
}

#[test]
fn a_future_is_larger_by_its_span_only() {
    let level = size_of_val(&sizes::spans::outer(1)) - size_of_val(&sizes::spans::inner(1));
    let plain = size_of_val(&sizes::plain::outer(1)) - size_of_val(&sizes::plain::inner(1));
    assert!(
        level - plain <= size_of::<spandrel::ActiveSpan>() + 8,
        "{level} bytes a level, {plain} without a span"
    );
    let large = size_of_val(&sizes::spans::large([0; 1024]));
    let plain = size_of_val(&sizes::plain::large([0; 1024]));
    assert!(
        large - plain <= size_of::<spandrel::ActiveSpan>() + 8,
        "{large} bytes, {plain} without a span"
    );
}
