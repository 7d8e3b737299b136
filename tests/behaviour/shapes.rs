//! Functions of every shape: a span lasts exactly as long as what it names.

// What users may write, tidy or not.
#![allow(
    clippy::manual_async_fn,
    clippy::needless_arbitrary_self_type,
    clippy::needless_borrowed_reference,
    clippy::unused_async
)]

use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::recorder::{record, record_async};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, LocalBoxStream, StreamExt};
use futures::{FutureExt, Stream};
use spandrel::testing::Recording;
use spandrel::{propagate, span};

use crate::samples::{BAD, EVENT, child};

async fn recorded<F: Future>(future: F) -> String {
    record_async(future).await.to_string()
}

async fn check(good: bool) -> Result<u32, String> {
    child();
    tokio::task::yield_now().await;
    child();
    if good { Ok(7) } else { Err("bad".to_owned()) }
}

const CHILDREN: &str = "├─ child\n└─ child\n";

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[span]
fn written_out(good: bool) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send>> {
    Box::pin(check(good))
}

#[span]
fn alias(good: bool) -> BoxFuture<'static, Result<u32, String>> {
    async move { check(good).await }.boxed()
}

#[span("local", good = good)]
fn local<'a>(good: &'a bool) -> Pin<Box<dyn Future<Output = Result<u32, String>> + 'a>> {
    let shared = Rc::new(good);
    let future = async move { check(**shared).await };
    Box::pin(future)
}

#[span]
fn shared(good: bool) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send + Sync>> {
    Box::pin(std::future::ready(if good { Ok(7) } else { Err("bad".to_owned()) }))
}

#[span("pinned", good = good)]
fn pinned(good: bool) -> BoxFuture<'static, Result<u32, String>> {
    child();
    let [good] = [good];
    Box::pin(async move {
        let value = check(good).await?;
        Ok(value)
    })
}

#[tokio::test]
async fn a_boxed_future_is_in_the_span_until_it_is_ready() {
    async fn test(
        name: &str,
        children: &str,
        make: impl Fn(bool) -> BoxFuture<'static, Result<u32, String>>,
    ) {
        let good = recorded(async { assert_eq!(make(true).await, Ok(7)) }).await;
        assert_eq!(good, format!("{name}\n{children}"));
        let bad = recorded(async { drop(make(false).await) }).await;
        let bar = if children.is_empty() { "  " } else { "│ " };
        assert_eq!(bad, format!("{name} {BAD}\n{bar}{EVENT}{children}"));
        let dropped = recorded(async { drop(make(true)) }).await;
        assert!(dropped.starts_with(&format!("{name} spandrel.cancelled=true\n")), "{dropped}");
    }
    test("written_out", CHILDREN, written_out).await;
    test("alias", CHILDREN, alias).await;
    test("shared", "", |good| shared(good)).await;
    let tree = recorded(async { drop(pinned(true).await) }).await;
    assert_eq!(tree, format!("pinned good=true\n├─ child\n{CHILDREN}"));
    let tree = recorded(async { drop(local(&false).await) }).await;
    assert_eq!(tree, format!("local good=false {BAD}\n│ {EVENT}{CHILDREN}"));
}

#[span("walk", depth = depth)]
fn walk(depth: u32) -> BoxFuture<'static, Result<u32, String>> {
    Box::pin(async move {
        if depth == 0 {
            return check(false).await;
        }
        walk(depth - 1).await
    })
}

#[tokio::test]
async fn recursion_through_boxes_is_a_chain_of_spans() {
    let tree = recorded(async { drop(walk(2).await) }).await;
    assert_eq!(
        tree,
        format!(
            "walk depth=2 {BAD}\n└─ walk depth=1 {BAD}\n   └─ walk depth=0 {BAD}\n      │ {EVENT}      \
             ├─ child\n      └─ child\n"
        )
    );
}

#[span]
fn opaque(good: bool) -> impl Future<Output = Result<impl Sized, String>> + Send {
    async move { check(good).await }
}

trait Work: Future<Output = u32> {}

impl<F: Future<Output = u32>> Work for F {}

#[span]
fn by_another_name() -> impl Work {
    async {
        child();
        1
    }
}

#[span]
fn value(good: bool) -> impl std::fmt::Debug {
    if good { Ok(1) } else { Err("bad".to_owned()) }
}

#[span]
fn nested(good: bool) -> Result<impl Iterator<Item = u32>, String> {
    if good { Ok(0..3) } else { Err("bad".to_owned()) }
}

#[tokio::test]
async fn an_opaque_result_is_what_its_type_is() {
    assert_eq!(recorded(async { drop(opaque(true).await) }).await, format!("opaque\n{CHILDREN}"));
    assert_eq!(
        recorded(async { drop(opaque(false).await) }).await,
        format!("opaque {BAD}\n│ {EVENT}{CHILDREN}")
    );
    assert_eq!(
        recorded(async { assert_eq!(by_another_name().await, 1) }).await,
        "by_another_name\n└─ child\n"
    );
    assert_eq!(record(|| value(true)).to_string(), "value\n");
    assert_eq!(record(|| value(false)).to_string(), format!("value {BAD}\n  {EVENT}"));
    assert_eq!(record(|| nested(true).map(Iterator::count)).to_string(), "nested\n");
    assert_eq!(record(|| drop(nested(false))).to_string(), format!("nested {BAD}\n  {EVENT}"));
}

#[span]
fn closure(more: usize) -> impl Fn(&str) -> usize + Clone {
    #[span("inside")]
    let more = more + 1;
    move |text| text.len() + more
}

#[span]
fn closure_of<'a, A: std::fmt::Display + 'a>(prefix: &'a str) -> impl Fn(A) -> String + 'a {
    move |value| format!("{prefix}{}", value.to_string().len())
}

#[span]
fn perhaps() -> Option<impl FnOnce() -> u32> {
    Some(|| 1)
}

#[span]
fn async_closure() -> impl AsyncFn(u32) -> u32 {
    async |number| number + 1
}

#[span(ok(|_| shown = true))]
fn shown() -> impl std::fmt::Display {
    1
}

#[span]
fn text() -> impl Into<String> {
    "text"
}

#[span]
fn nothing() -> impl Iterator<Item = u8> {
    std::iter::empty()
}

/// A future inside, which no caller can await.
#[span]
fn unseen() -> impl Send {
    std::future::ready(1)
}

#[tokio::test]
async fn a_result_that_cannot_be_awaited_is_made_in_the_span() {
    let tree = recorded(async {
        assert_eq!(closure(1)("four"), 6);
        assert_eq!(closure_of::<u32>("a")(10), "a2");
        assert_eq!(perhaps().map(|number| number()), Some(1));
        assert_eq!(async_closure()(1).await, 2);
        assert_eq!(shown().to_string(), "1");
        assert_eq!(text().into(), "text");
        assert_eq!(nothing().count(), 0);
        drop(unseen());
    })
    .await;
    let tail = "closure_of\nperhaps\nasync_closure\nshown shown=true\ntext\nnothing\nunseen\n";
    assert_eq!(tree, format!("closure\n└─ inside\n{tail}"));
}

#[span("numbers", upto = upto)]
fn numbers(upto: u32) -> impl Stream<Item = u32> + Send {
    child();
    stream::iter(0..upto).then(|number| async move {
        child();
        tokio::task::yield_now().await;
        number
    })
}

#[span]
fn boxed_numbers() -> BoxStream<'static, Result<u32, String>> {
    stream::iter([Ok(1), Err("bad".to_owned()), Ok(2)]).boxed()
}

#[span]
fn local_numbers<'a>(numbers: &'a [u32]) -> LocalBoxStream<'a, u32> {
    let numbers = Rc::new(numbers);
    Box::pin(stream::iter(0..numbers.len()).map(move |index| numbers[index]))
}

#[tokio::test]
async fn a_stream_is_in_the_span_until_it_ends() {
    let tree = recorded(async {
        assert_eq!(numbers(2).collect::<Vec<_>>().await, [0, 1]);
        child();
    })
    .await;
    assert_eq!(tree, "numbers upto=2\n├─ child\n├─ child\n└─ child\nchild\n");
    let tree = recorded(async { numbers(2).boxed().next().await }).await;
    assert_eq!(tree, "numbers upto=2 spandrel.cancelled=true\n├─ child\n└─ child\n");
    let tree = recorded(async { assert_eq!(boxed_numbers().count().await, 3) }).await;
    assert_eq!(tree, format!("boxed_numbers {BAD}\n  {EVENT}"));
    let tree = recorded(async { assert_eq!(local_numbers(&[1, 2]).count().await, 2) }).await;
    assert_eq!(tree, "local_numbers\n");
    assert_eq!(numbers(3).size_hint().1, None.or(numbers(3).size_hint().1));
}

#[async_trait]
trait Store {
    async fn get(&self, key: u32) -> Result<u32, String>;

    #[span("default", key = key)]
    async fn twice(&mut self, key: u32) -> Result<u32, String> {
        #[span("first")]
        let first = self.get(key).await?;
        Ok(first + self.get(key).await?)
    }
}

struct Memory {
    name: &'static str,
}

#[async_trait]
impl Store for Memory {
    #[span("get", store = self.name, key = key)]
    async fn get(&self, key: u32) -> Result<u32, String> {
        check(key > 0).await
    }
}

#[async_trait(?Send)]
trait Local {
    #[span("destructured", a = a, "name" = %name)]
    async fn local<'a, T: std::fmt::Display + 'a>(
        self: Box<Self>,
        (a, _b): (u32, u32),
        name: &'a T,
    ) -> &'a T {
        child();
        name
    }

    #[propagate(headers)]
    #[span]
    async fn nothing(&self, headers: &std::collections::HashMap<String, String>) {
        child();
    }
}

impl Local for Memory {}

#[tokio::test]
async fn async_trait_methods_are_spans() {
    let mut memory = Memory { name: "memory" };
    let tree = recorded(async { assert_eq!(memory.get(1).await, Ok(7)) }).await;
    assert_eq!(tree, format!("get store=\"memory\" key=1\n{CHILDREN}"));
    let tree = recorded(async { drop(memory.twice(0).await) }).await;
    let start = format!(
        "default key=0 {BAD}\n└─ first {BAD}\n   └─ get store=\"memory\" key=0 {BAD}\n      │ {EVENT}"
    );
    assert!(tree.starts_with(&start), "{tree}");
    let tree = recorded(async {
        memory.nothing(&[].into()).await;
        assert_eq!(*Box::new(memory).local((1, 2), &"name").await, "name");
    })
    .await;
    assert_eq!(tree, "nothing\n└─ child\ndestructured a=1 name=\"name\"\n└─ child\n");
}

/// As of an `async fn`. If this fails, `#[async_trait]` has changed what it writes, and
/// `macros/src/syntax/boxed.rs` must follow.
#[tokio::test]
async fn async_trait_methods_start_when_they_are_polled() {
    let mut memory = Memory { name: "memory" };
    let tree = recorded(async {
        drop(memory.get(1));
        drop(memory.twice(0));
        drop(memory.nothing(&[].into()));
        drop(Box::new(Memory { name: "" }).local((1, 2), &"name"));
    })
    .await;
    assert_eq!(tree, "");
}

struct Receivers<T>(T);

impl<T: Clone + Send> Receivers<T> {
    #[span]
    fn by_reference(&self) -> &T {
        &self.0
    }

    #[span]
    fn by_mutable_reference(&mut self) -> &mut T {
        &mut self.0
    }

    #[span]
    fn by_value(mut self, other: T) -> T {
        self.0.clone_from(&other);
        self.0
    }

    #[span]
    fn by_box(self: Box<Self>) -> T {
        self.0
    }

    #[span]
    async fn by_arc(self: Arc<Self>) -> T {
        self.0.clone()
    }

    #[span]
    fn by_pin(self: Pin<&mut Self>) -> Poll<T> {
        Poll::Ready(self.0.clone())
    }

    #[span]
    async fn by_lifetime<'a>(self: &'a Self, other: &'a [T]) -> impl Iterator<Item = &'a T> {
        other.iter().chain([&self.0])
    }
}

#[tokio::test]
async fn every_receiver_is_what_it_was() {
    let tree = recorded(async {
        let mut receivers = Receivers(1);
        *receivers.by_mutable_reference() += receivers.0;
        assert_eq!(*receivers.by_reference(), 2);
        assert_eq!(receivers.by_lifetime(&[5]).await.sum::<i32>(), 7);
        assert_eq!(Pin::new(&mut receivers).by_pin(), Poll::Ready(2));
        assert_eq!(receivers.by_value(3), 3);
        assert_eq!(Box::new(Receivers(4)).by_box(), 4);
        assert_eq!(Arc::new(Receivers("5")).by_arc().await, "5");
    })
    .await;
    let names = ["mutable_reference", "reference", "lifetime", "pin", "value", "box", "arc"];
    assert_eq!(tree, names.map(|name| format!("by_{name}\n")).concat());
}

trait Greets {
    const NAME: &str;

    #[span(Self::NAME)]
    async fn greet(&self) -> String {
        format!("hello from {}", Self::NAME)
    }

    fn later(&self) -> impl Future<Output = u32> + Send;
}

impl Greets for Memory {
    const NAME: &str = "memory";

    #[span]
    fn later(&self) -> impl Future<Output = u32> + Send {
        child();
        async { 1 }
    }
}

#[span(G::NAME)]
fn generic<G: Greets>(_: PhantomData<G>) {}

#[tokio::test]
async fn traits_have_spans_in_them() {
    let tree = recorded(async {
        let memory = Memory { name: "" };
        assert_eq!(memory.greet().await, "hello from memory");
        assert_eq!(memory.later().await, 1);
        generic(PhantomData::<Memory>);
    })
    .await;
    assert_eq!(tree, "memory\nlater\n└─ child\nmemory\n");
}

struct Shape {
    corner: (i32, i32),
    names: Vec<&'static str>,
}

#[span("patterns", x = x, last = last, other = other)]
fn patterns(
    Shape { corner: (x, _), names }: Shape,
    [_, .., last]: [i32; 4],
    &(ref other, _): &(String, i32),
    mut sum: i32,
    _: (),
) -> i32 {
    sum += x + last;
    sum + i32::try_from(names.len() + other.len()).unwrap_or_default()
}

/// Adds.
#[inline]
#[must_use]
#[span("foreign", number = number)]
#[cold]
pub(crate) extern "C" fn foreign(mut number: i32) -> i32 {
    number += 1;
    number
}

#[span]
fn arguments<T>(text: impl Into<String>, list: &[impl AsRef<str>], rest: T) -> usize
where
    T: IntoIterator<Item: AsRef<str>>,
{
    text.into().len() + list.len() + rest.into_iter().map(|one| one.as_ref().len()).sum::<usize>()
}

#[span("sized")]
fn sized<'a, const N: usize, T: ?Sized + AsRef<[u8]>>(bytes: &'a T) -> [&'a u8; N] {
    #![allow(clippy::needless_lifetimes)]
    std::array::from_fn(|index| &bytes.as_ref()[index])
}

#[test]
fn patterns_qualifiers_and_generics_stay_as_they_are() {
    let recording = record(|| {
        let shape = Shape { corner: (1, 2), names: vec!["a"] };
        assert_eq!(patterns(shape, [1, 2, 3, 4], &("xy".to_owned(), 0), 10, ()), 18);
        assert_eq!(foreign(1), 2);
        assert_eq!(arguments("ab", &["c"], ["d", "ef"]), 6);
        assert_eq!(sized::<2, [u8]>(&[1, 2, 3]), [&1, &2]);
    });
    let tree = "patterns x=1 last=4 other=\"xy\"\nforeign number=1\narguments\nsized\n";
    assert_eq!(recording.to_string(), tree);
}

macro_rules! functions {
    ($($vis:vis fn $name:ident($($argument:ident: $ty:ty),*) -> $output:ty $body:block as $span:literal, $key:ident = $value:expr;)*) => {$(
        #[span($span, $key = $value)]
        $vis fn $name($($argument: $ty),*) -> $output $body
    )*};
}

functions! {
    fn generated(text: &str, times: usize) -> String { text.repeat(times) } as "generated", times = 2 + 1;
    pub(crate) fn other() -> Result<u32, String> { Err("bad".to_owned()) } as "other", key = "value";
}

#[test]
fn macros_may_write_the_functions() {
    let recording = record(|| {
        assert_eq!(generated("a", 3), "aaa");
        assert!(other().is_err());
    });
    let tree = format!("generated times=3\nother key=\"value\" {BAD}\n  {EVENT}");
    assert_eq!(recording.to_string(), tree);
}

struct Ready;

impl Future for Ready {
    type Output = u32;

    #[span("polled")]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        child();
        Poll::Ready(1)
    }
}

#[tokio::test]
async fn a_poll_is_a_function_like_any() {
    assert_eq!(recorded(Ready).await, "polled\n└─ child\n");
}

#[test]
fn any_executor_will_do() {
    let recording: Recording =
        futures::executor::block_on(record_async(async { alias(true).await }));
    assert_eq!(recording.to_string(), format!("alias\n{CHILDREN}"));
    let recording = smol::block_on(record_async(async {
        let executor = smol::Executor::new();
        let task = executor.spawn(spandrel::InCurrentTrace::in_current_trace(pinned(true)));
        executor.run(task).await
    }));
    assert_eq!(recording.to_string(), format!("pinned good=true\n├─ child\n{CHILDREN}"));
}

#[tokio::test]
async fn select_and_join_keep_spans_apart() {
    let tree = recorded(async {
        let (one, two) = futures::join!(alias(true), pinned(true));
        assert_eq!((one, two), (Ok(7), Ok(7)));
        tokio::select! {
            biased;
            value = std::future::ready(1) => assert_eq!(value, 1),
            _ = walk(1) => unreachable!("it waits"),
        }
    })
    .await;
    let joined = format!("alias\n{CHILDREN}pinned good=true\n├─ child\n{CHILDREN}");
    assert_eq!(tree, format!("{joined}walk depth=1 spandrel.cancelled=true\n"));
}
