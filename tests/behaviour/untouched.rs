//! What compiles and what happens is the same with the attributes as without them.

// What users may write, tidy or not.
#![allow(
    clippy::async_yields_async,
    clippy::manual_async_fn,
    clippy::items_after_statements,
    clippy::let_and_return,
    clippy::manual_unwrap_or_default,
    clippy::needless_match,
    clippy::needless_return,
    clippy::never_loop,
    clippy::question_mark,
    clippy::redundant_closure_for_method_calls,
    clippy::type_complexity,
    clippy::unit_arg,
    clippy::unnecessary_fold,
    clippy::unused_async,
    clippy::useless_conversion,
    clippy::useless_format
)]

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Display};
use std::pin::Pin;

use crate::recorder::{record, record_async};
use async_trait::async_trait;
use futures::executor::block_on;
use futures::stream::{self, FusedStream, StreamExt};
use futures::{FutureExt, Stream};
use spandrel::{Callsite, Outcome, SpanKind, span};

use crate::samples::{BAD, EVENT, check, child, later};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// Values whose type later code makes known.

fn read(number: u32) -> Result<u32, fmt::Error> {
    if number > 0 { Ok(number) } else { Err(fmt::Error) }
}

#[span]
fn collects(numbers: &[u32]) -> anyhow::Result<Vec<u32>> {
    numbers
        .iter()
        .map(|number| {
            #[span("item")]
            let value = read(*number)?;
            Ok(value)
        })
        .collect()
}

#[span]
async fn infers() -> Result<usize, Box<dyn Error>> {
    let first: Result<u32, anyhow::Error> = async {
        #[span("read")]
        let value = later(read(1)).await?;
        Ok(value)
    }
    .await;
    let texts = [1, 2].iter().map(|id| {
        #[span("format")]
        let text = format!("{id}");
        text.into()
    });
    let texts: Vec<String> = texts.collect();
    let sum = [1_u32, 2].iter().try_fold(0, |sum, number| {
        #[span("add")]
        {
            assert!(*number > 0);
        }
        Ok::<u32, fmt::Error>(sum + number)
    });
    let displays: Box<dyn Fn(u32) -> Result<Box<dyn Display>, Box<dyn Error>>> =
        Box::new(|number| {
            #[span("display")]
            let value = check(number > 0)?;
            Ok(Box::new(value))
        });
    let exits = check(true).unwrap_or_else(|error| {
        #[span("exit")]
        {
            println!("{error}");
        }
        std::process::exit(2)
    });
    displays(0).err().ok_or("it fails")?;
    Ok(texts.len() + usize::try_from(first? + sum? + exits)?)
}

#[span]
fn opaque() -> impl Future<Output = Result<u32, anyhow::Error>> + Send {
    async {
        #[span("read")]
        let value = later(read(0)).await?;
        Ok(value)
    }
}

#[tokio::test]
async fn types_that_later_code_makes_known_are_left_alone() {
    let tree = record(|| drop(collects(&[1, 0]))).to_string();
    let error = "✗ an error occurred when formatting an argument\n";
    assert!(tree.starts_with("collects error.type=\"core::fmt::Error\" ✗"), "{tree}");
    assert!(tree.contains(&format!("├─ item\n└─ item error.type=\"core::fmt::Error\" {error}")));
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
    let recording = record_async(async { assert_eq!(infers().await.ok(), Some(13)) }).await;
    let tree = format!(
        "infers\n├─ read\n├─ format\n├─ format\n├─ add\n├─ add\n└─ display {BAD}\n     {EVENT}"
    );
    assert_eq!(recording.to_string(), tree);
    let tree = record_async(async { opaque().await }).await.to_string();
    assert_eq!(tree.matches(error.trim_end()).count(), 2, "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
}

#[span]
async fn prepares(ids: Vec<u32>) -> Vec<String> {
    let requests = stream::iter(ids).map(|id| {
        #[span("prepare")]
        let url = format!("http://localhost/{id}");
        async move { later(url).await }
    });
    let early = |number: u32| -> BoxFuture<'static, u32> {
        #[span("early")]
        {
            if number > 0 {
                return async { 1 }.boxed();
            }
        }
        async { 2 }.boxed()
    };
    assert_eq!(early(1).await + early(0).await, 3);
    requests.buffered(2).collect().await
}

#[tokio::test]
async fn a_closure_may_prepare_a_future() {
    let recording = record_async(prepares(vec![1])).await;
    assert_eq!(recording.to_string(), "prepares\n├─ early\n├─ early\n└─ prepare\n");
}

#[span("looks")]
async fn looks(good: bool) -> Result<u32, String> {
    #[span("returns")]
    let returns = async {
        if !good {
            return Err("bad".to_owned());
        }
        Ok(1)
    };
    let returned = returns.await;
    #[span("expected", error_if(|error: &String| error != "bad"))]
    let expected = async {
        check(good)?;
        Ok::<u32, String>(2)
    };
    let expected = expected.await;
    #[span("ok", ok(|number| number = number), ret)]
    let number: Result<u32, String> = Ok(3);
    let typed = async |good: bool| -> Result<u32, String> {
        #[span("typed")]
        let number = check(good)?;
        Ok(number)
    };
    let typed = typed(good).await;
    Ok(returned.unwrap_or(0) + expected.unwrap_or(0) + number? + typed.unwrap_or(0))
}

#[tokio::test]
async fn values_are_looked_at_as_they_are_everywhere() {
    let tree = record_async(async { drop(looks(true).await) }).await.to_string();
    let ok = "├─ ok number=3 return=\"3\"\n";
    assert_eq!(tree, format!("looks\n├─ returns\n├─ expected\n{ok}└─ typed\n"));
    let tree = record_async(async { drop(looks(false).await) }).await.to_string();
    assert_eq!(
        tree,
        format!(
            "looks\n├─ returns {BAD}\n│    {EVENT}├─ expected\n{ok}└─ typed {BAD}\n     {EVENT}"
        )
    );
}

// Blocks that are left in functions whose work goes on.

#[span("inner")]
fn inner(good: bool) -> BoxFuture<'static, u32> {
    #[span("check")]
    {
        if good {
            return Box::pin(async { 1 });
        }
    }
    let future: BoxFuture<'static, u32> = Box::pin(async { 2 });
    future
}

#[span("outer")]
fn outer() -> Result<u32, String> {
    #[span("use")]
    let number = u32::from(true);
    drop(inner(true));
    block_on(inner(true));
    check(number > 1)
}

#[span("stream")]
fn stream_of(upto: u32) -> impl Stream<Item = u32> {
    #[span("setup")]
    let numbers = 0..upto;
    stream::iter(numbers)
}

#[span("future")]
fn traced_future() -> impl Future<Output = Result<u32, String>> {
    #[span("work", kind(client), ok(|number| number = number))]
    async move {
        #[span("step")]
        let number = later(check(true)).await?;
        later(check(number > 7)).await?;
        Ok(number)
    }
}

#[test]
fn a_block_that_is_left_belongs_to_its_own_function() {
    let recording = record(|| drop(outer()));
    let cancelled = "spandrel.cancelled=true\n";
    let tree = format!(
        "outer {BAD}\n│ {EVENT}├─ use\n├─ inner {cancelled}│  └─ check\n└─ inner\n   └─ check\n"
    );
    assert_eq!(recording.to_string(), tree);
    let recording = record(|| assert_eq!(block_on(stream_of(2).count()), 2));
    assert_eq!(recording.to_string(), "stream\n└─ setup\n");
    let recording = record(|| drop(block_on(async { tokio_free(traced_future()).await })));
    let tree = format!("future {BAD}\n└─ work [client] {BAD}\n   │ {EVENT}   └─ step\n");
    assert_eq!(recording.to_string(), tree);
}

/// `later` needs no reactor: any executor will do.
async fn tokio_free<F: Future>(future: F) -> F::Output {
    future.await
}

#[span("lets")]
fn own_lets() -> BoxFuture<'static, Result<u32, String>> {
    Box::pin(async move {
        child();
        let _: () = {
            child();
        };
        later(()).await;
        check(false)
    })
}

#[span("prepared")]
fn prepared(number: u32) -> BoxFuture<'static, u32> {
    #[span("prepare")]
    let number = number + 1;
    Box::pin(async move { number })
}

#[tokio::test]
async fn a_box_that_is_not_async_trait_s_is_traced_as_a_whole() {
    let recording = record_async(async { drop(own_lets().await) }).await;
    let tree = format!("lets {BAD}\n│ {EVENT}├─ child\n└─ child\n");
    assert_eq!(recording.to_string(), tree);
    let recording = record_async(async { assert_eq!(prepared(1).await, 2) }).await;
    assert_eq!(recording.to_string(), "prepared\n└─ prepare\n");
}

mod helpers {
    pub(super) fn help() -> u32 {
        1
    }
}

#[async_trait]
trait Says {
    #[span("say", help = self::helpers::help(), "name" = self.name())]
    async fn say(&self) -> u32 {
        struct Local(u32);
        impl Local {
            fn get(&self) -> u32 {
                self.0
            }
        }
        Local(self::helpers::help()).get()
    }

    fn name(&self) -> &'static str;
}

impl Says for () {
    fn name(&self) -> &'static str {
        "unit"
    }
}

#[test]
fn async_trait_s_self_is_renamed_where_it_is_a_variable() {
    let recording = record(|| assert_eq!(block_on(().say()), 1));
    assert_eq!(recording.to_string(), "say help=1 name=\"unit\"\n");
}

#[span]
fn fused() -> impl FusedStream<Item = u32> {
    stream::iter(0..2).fuse()
}

#[span(error_if(|error: &String| error.len() > limit))]
fn captures(limit: usize) -> BoxFuture<'static, Result<u32, String>> {
    async { check(false) }.boxed()
}

#[test]
fn what_is_returned_keeps_its_traits() {
    let recording = record(|| {
        let mut numbers = std::pin::pin!(fused());
        assert!(!numbers.is_terminated());
        assert_eq!(block_on(numbers.by_ref().count()), 2);
        assert!(numbers.is_terminated());
        block_on(captures(3)).expect_err("it is bad");
    });
    assert_eq!(recording.to_string(), "fused\ncaptures\n");
}

// Blocks that are left by `break`, whatever comes after.

#[span("breaks")]
fn breaks(number: u32, how: u32) -> Result<u32, String> {
    match how {
        0 => Ok((loop {
            #[span("poll")]
            {
                if number > 0 {
                    break number;
                }
            }
        }) + check(false)?),
        1 => {
            let Some(found) = ('found: {
                #[span("poll")]
                {
                    if number > 0 {
                        break 'found None;
                    }
                }
                Some(1)
            }) else {
                return check(false);
            };
            Ok(found)
        }
        _ => match 'found: {
            #[span("poll")]
            {
                if number > 0 {
                    break 'found 5;
                }
            }
            4
        } {
            5 => check(false),
            other => Ok(other),
        },
    }
}

#[test]
fn a_block_that_was_left_by_break_is_done_with() {
    for how in 0..3 {
        let recording = record(|| drop(breaks(1, how)));
        assert_eq!(recording.to_string(), format!("breaks {BAD}\n│ {EVENT}└─ poll\n"), "{how}");
    }
}

// Attributes, initialisers and temporaries.

#[span("statements")]
fn statements(text: &str) -> usize {
    #[cfg(debug_assertions)]
    #[span("checked")]
    {
        child();
    }
    #[cfg(any())]
    #[span("never")]
    missing();
    #[span("allowed")]
    #[allow(unused_must_use)]
    check(true);
    let length = #[span("initialiser")]
    {
        text.len()
    };
    #[span("some")]
    let some = Some(&text.to_string());
    #[span("branches")]
    let either = if length > 3 { text } else { &String::new() };
    #[span("arguments")]
    let arguments = format_args!("{text}").to_string();
    length + some.map_or(0, |some| some.len()) + either.len() + arguments.len()
}

#[test]
fn statements_stay_what_they_are() {
    let recording = record(|| assert_eq!(statements("four"), 16));
    let tree = "statements\n├─ checked\n│  └─ child\n├─ allowed\n├─ initialiser\n├─ some\n\
                ├─ branches\n└─ arguments\n";
    assert_eq!(recording.to_string(), tree);
}

thread_local!(static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        child();
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

impl Noisy {
    fn touch(&self) {
        assert!(!self.0.is_empty());
    }

    #[span("method")]
    fn method(self, first: Self, _guard: Self) {
        first.touch();
        self.touch();
    }
}

#[span("drops")]
fn drops(first: Noisy, second: Noisy, _guard: Noisy) {
    second.touch();
    first.touch();
}

#[span("drops later")]
async fn drops_later(first: Noisy, second: Noisy, _guard: Noisy) {
    first.touch();
    later(()).await;
    second.touch();
}

#[tokio::test]
async fn parameters_are_dropped_in_their_order_inside_the_span() {
    let recording = record_async(async {
        drops(Noisy("a"), Noisy("b"), Noisy("c"));
        drops_later(Noisy("a"), Noisy("b"), Noisy("c")).await;
        Noisy("a").method(Noisy("b"), Noisy("c"));
    })
    .await;
    let children = "├─ child\n├─ child\n└─ child\n";
    let tree = format!("drops\n{children}drops later\n{children}method\n{children}");
    assert_eq!(recording.to_string(), tree);
    assert_eq!(DROPPED.take(), ["c", "b", "a", "c", "b", "a", "c", "b", "a"]);
}

trait Everywhere {
    fn outcome(&self) -> u32 {
        1
    }

    fn end(&self) -> u32 {
        2
    }

    fn follow(&self) -> u32 {
        3
    }

    fn success(&self) -> u32 {
        4
    }
}

impl<T: ?Sized> Everywhere for T {}

#[span("clash", ok(|number| number = number))]
fn clash() -> Result<u32, String> {
    #[span("block")]
    let number = check(true)?;
    Ok(number + number.outcome() + number.end() + number.follow() + number.success())
}

#[test]
fn a_trait_of_the_user_s_may_have_the_same_methods() {
    let recording = record(|| assert_eq!(clash(), Ok(17)));
    assert_eq!(recording.to_string(), "clash number=17\n└─ block\n");
}

// Ends of threads, and errors that cannot be displayed.

struct LastWords;

impl Drop for LastWords {
    fn drop(&mut self) {
        child();
    }
}

thread_local!(static LAST_WORDS: LastWords = const { LastWords });

#[test]
fn a_thread_may_end_in_a_span() {
    let recording = record(|| {
        let thread = std::thread::spawn(spandrel::carry(|| {
            LAST_WORDS.with(|_| ());
            child();
        }));
        thread.join().expect("it does not panic");
    });
    assert!(recording.to_string().starts_with("child\n"), "{recording}");
}

#[derive(Debug)]
struct Mute;

impl Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[span("mute", mute = %Mute)]
fn mute() -> Result<(), Mute> {
    Err(Mute)
}

#[test]
fn a_display_that_fails_fails_nothing_else() {
    let tree = record(|| drop(mute())).to_string();
    assert!(
        tree.starts_with(concat!("mute mute=\"\" error.type=\"", module_path!(), "::Mute\" ✗\n")),
        "{tree}"
    );
}

#[span("catches")]
fn catches() -> bool {
    #[span("caught")]
    let caught = std::panic::catch_unwind(|| {
        #[span("thrown", root)]
        {
            panic!("thrown")
        }
    });
    caught.is_err()
}

#[span("origin")]
fn origin() -> Result<u32, String> {
    #[span("root", root)]
    let number = check(false)?;
    Ok(number)
}

#[test]
fn one_failure_is_one_event_caught_or_in_another_trace() {
    let tree = record(catches).to_string();
    assert_eq!(tree.matches("✗ thrown").count(), 2, "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
    let tree = record(|| drop(origin())).to_string();
    assert_eq!(tree.matches("✗ bad").count(), 2, "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
}

#[tokio::test]
async fn recording_may_start_while_a_function_waits() {
    #[span("worker")]
    async fn worker(go_on: &tokio::sync::Notify) {
        go_on.notified().await;
        #[span("job")]
        {
            child();
            go_on.notified().await;
            child();
        }
        child();
    }
    static ELSEWHERE: Callsite = Callsite::new("elsewhere", SpanKind::Internal, "tests", None);

    let go_on = tokio::sync::Notify::new();
    let mut worker = Box::pin(worker(&go_on));
    assert!((&mut worker).now_or_never().is_none());
    let recording = record_async(async {
        go_on.notify_one();
        assert!((&mut worker).now_or_never().is_none());
        ELSEWHERE.start(|_| ()).run(child, Outcome::unset);
        go_on.notify_one();
        worker.await;
    })
    .await;
    let tree = "job\n├─ child\n└─ child\nelsewhere\n└─ child\nchild\n";
    assert_eq!(recording.to_string(), tree);
}

// What cannot be seen without types.

#[span("variables")]
fn variables(good: bool) -> u32 {
    #[span("block")]
    let block = {
        let checked = check(good);
        checked
    };
    #[span("branch")]
    let branch = match check(good) {
        Ok(number) => Ok(number),
        failed => failed,
    };
    block.unwrap_or(0) + branch.unwrap_or(0)
}

#[test]
fn a_variable_may_be_an_error() {
    assert_eq!(record(|| variables(true)).to_string(), "variables\n├─ block\n└─ branch\n");
    let tree = format!("variables\n├─ block {BAD}\n│    {EVENT}└─ branch {BAD}\n     {EVENT}");
    assert_eq!(record(|| variables(false)).to_string(), tree);
}

struct Parsed(u32);

impl std::str::FromStr for Parsed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| "bad".to_owned())
    }
}

#[span("parses")]
fn parses(texts: &[&str]) -> Result<Vec<u32>, String> {
    let parse = |text: &&str| {
        #[span("parse")]
        {
            if text.is_empty() {
                return Ok(0);
            }
        }
        #[span("number")]
        let parsed: Parsed = text.parse()?;
        Ok(parsed.0)
    };
    texts.iter().map(parse).collect()
}

#[test]
fn a_written_type_says_what_is_parsed() {
    let recording = record(|| assert_eq!(parses(&["", "7"]), Ok(vec![0, 7])));
    assert_eq!(recording.to_string(), "parses\n├─ parse\n├─ parse\n└─ number\n");
    let tree = record(|| drop(parses(&["x"]))).to_string();
    assert_eq!(tree, format!("parses {BAD}\n├─ parse\n└─ number {BAD}\n     {EVENT}"));
}

#[span("never returns")]
fn never_returns(mut number: u32) -> u32 {
    if number > 100 {
        #[span("exits")]
        {
            println!("bye");
            std::process::exit(0)
        }
    }
    if number > 1 {
        #[span("loops")]
        loop {
            number += 1;
            if number > 4 {
                return number;
            }
        }
    }
    number
}

#[span("spawns")]
async fn spawns() -> u32 {
    let worker = #[span("worker")]
    async move {
        loop {
            later(child()).await;
        }
    };
    tokio::select! {
        biased;
        () = worker => 0,
        number = later(1) => number,
    }
}

#[tokio::test]
async fn what_never_comes_to_a_value_is_no_obstacle() {
    let recording = record(|| assert_eq!(never_returns(2), 5));
    assert_eq!(recording.to_string(), "never returns\n└─ loops\n");
    let tree = record_async(spawns()).await.to_string();
    assert!(tree.starts_with("spawns\n└─ worker spandrel.cancelled=true\n   ├─ child\n"), "{tree}");
}

#[span("coerces")]
fn coerces(breaks: bool) -> Box<dyn Display> {
    let kept = String::from("kept");
    let borrowed: &String = 'found: {
        #[span("borrowed")]
        {
            if breaks {
                break 'found &kept;
            }
        }
        &String::from("made")
    };
    let slice: &[u8] = 'found: {
        #[span("slice")]
        {
            if breaks {
                break 'found kept.as_bytes();
            }
        }
        &[1, 2, 3]
    };
    let numbers = std::sync::Mutex::new(vec![borrowed.len(), slice.len()]);
    let first = Option::<&usize>::copied(
        #[span("argument")]
        numbers.lock().expect("it is not poisoned").first(),
    );
    loop {
        #[span("boxed")]
        {
            if breaks {
                break Box::new(first.unwrap_or(0));
            }
        }
        break Box::new("none");
    }
}

#[test]
fn coercions_and_temporaries_are_what_they_were() {
    for (breaks, shown) in [(true, "4"), (false, "none")] {
        let recording = record(|| assert_eq!(coerces(breaks).to_string(), shown));
        let tree = "coerces\n├─ borrowed\n├─ slice\n├─ argument\n└─ boxed\n";
        assert_eq!(recording.to_string(), tree);
    }
}

impl Display for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[span("formats")]
fn formats(first: Noisy, second: Noisy, third: Noisy) -> String {
    let text = format!("{first} {third:<1}");
    second.touch();
    text
}

#[async_trait]
trait Holds {
    #[span("holds")]
    async fn holds(&self, first: Noisy, second: Noisy, _guard: Noisy) {
        first.touch();
        later(()).await;
        second.touch();
    }
}

impl Holds for () {}

#[span("boxes")]
fn boxes(first: Noisy, _guard: Noisy) -> Pin<Box<dyn Future<Output = usize>>> {
    Box::pin(async move { first.0.len() })
}

#[tokio::test]
async fn a_guard_beside_a_box_is_dropped_in_the_span() {
    let tree = record_async(async { boxes(Noisy("a"), Noisy("b")).await }).await.to_string();
    assert_eq!(tree, "boxes\n├─ child\n└─ child\n");
    assert_eq!(DROPPED.take(), ["b", "a"]);
}

#[tokio::test]
async fn parameters_are_dropped_in_their_order_wherever_they_are_used() {
    let recording = record_async(async {
        assert_eq!(formats(Noisy("a"), Noisy("b"), Noisy("c")), "a c");
        ().holds(Noisy("a"), Noisy("b"), Noisy("c")).await;
    })
    .await;
    let children = "├─ child\n├─ child\n└─ child\n";
    assert_eq!(recording.to_string(), format!("formats\n{children}holds\n{children}"));
    assert_eq!(DROPPED.take(), ["c", "b", "a", "c", "b", "a"]);
}
