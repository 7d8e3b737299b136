//! What can be said of a span besides its name and its attributes.

use std::fmt::Debug;

use crate::recorder::{record, record_async};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use spandrel::{InCurrentTrace, SpanId, TraceContext, carry, current, propagate, span};

#[span("sized", ok(|text| text.length = text.len(), text.shout = %text.to_uppercase()))]
fn sized(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("empty".to_owned()) } else { Ok(text.to_owned()) }
}

#[span("pair", ok(|(one, _)| one = one), ret)]
async fn pair(two: u32) -> (u32, Option<u32>) {
    (1, Some(two))
}

#[span(ret)]
fn returned(good: bool) -> Result<Vec<u8>, &'static str> {
    if good { Ok(vec![1]) } else { Err("bad") }
}

#[tokio::test]
async fn the_success_value_is_recorded_when_it_is_one() {
    let tree = record(|| sized("ab")).to_string();
    assert_eq!(tree, "sized text.length=2 text.shout=\"AB\"\n");
    let tree = record(|| sized("")).to_string();
    assert!(tree.starts_with("sized error.type=\"alloc::string::String\" ✗ empty\n"), "{tree}");
    let tree = record_async(pair(2)).await.to_string();
    assert_eq!(tree, "pair one=1 return=\"(1, Some(2))\"\n");
    assert_eq!(record(|| returned(true)).to_string(), "returned return=\"[1]\"\n");
    assert!(!record(|| returned(false)).to_string().contains("return="));
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("nothing there")]
    NotFound,
    #[error("gone wrong")]
    Broken,
}

#[span(error_if(|error| !matches!(error, Error::NotFound)))]
fn find(error: Error) -> Result<(), Error> {
    Err(error)
}

fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Broken)
}

#[span("find later", error_if(is_broken), ok(|()| found = true))]
async fn find_later(error: Option<Error>) -> Result<(), Error> {
    error.map_or(Ok(()), Err)
}

#[span]
fn caller() -> Result<(), Error> {
    find(Error::NotFound)
}

#[tokio::test]
async fn only_what_counts_is_an_error() {
    assert_eq!(record(|| drop(find(Error::NotFound))).to_string(), "find\n");
    let tree = record(|| drop(find(Error::Broken))).to_string();
    assert!(
        tree.starts_with(concat!("find error.type=\"", module_path!(), "::Error\" ✗ gone wrong\n")),
        "{tree}"
    );
    let tree = record_async(async {
        drop(find_later(Some(Error::NotFound)).await);
        drop(find_later(None).await);
    })
    .await;
    assert_eq!(tree.to_string(), "find later\nfind later found=true\n");
    // Each function decides for itself.
    let tree = record(|| drop(caller())).to_string();
    assert!(tree.contains("nothing there\n"), "{tree}");
    assert_eq!(tree.matches("• exception").count(), 1, "{tree}");
}

#[span]
fn outer(call: impl FnOnce()) {
    call();
}

#[span(root, kind(consumer))]
fn batch() {
    leaf();
}

#[span]
fn leaf() {}

#[test]
fn a_root_starts_a_trace_linked_to_the_span_it_was_started_in() {
    let recording = record(|| outer(batch));
    assert_eq!(recording.to_string(), "outer\nbatch [consumer]\n└─ leaf\n");
    let [outer, batch, leaf] = recording.spans() else { panic!("{recording}") };
    assert_ne!(outer.span_context.trace_id(), batch.span_context.trace_id());
    assert_eq!(batch.parent_span_id, SpanId::INVALID);
    assert_eq!(batch.span_context.trace_id(), leaf.span_context.trace_id());
    let links: Vec<_> = batch.links.iter().map(|link| &link.span_context).collect();
    assert_eq!(links, [&outer.span_context]);
    assert!(record(batch_alone).spans()[0].links.links.is_empty());
}

fn batch_alone() {
    batch();
}

#[span(parent(parent))]
fn under(parent: &Context) {
    leaf();
}

#[span(parent(parents.next().expect("one is left")))]
async fn under_remote(mut parents: impl Iterator<Item = SpanContext>) {
    leaf();
}

fn remote() -> SpanContext {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let carrier: TraceContext =
        [("traceparent".to_owned(), parent.to_owned())].into_iter().collect();
    spandrel::extract(&carrier).span().span_context().clone()
}

#[tokio::test]
async fn a_parent_can_be_given() {
    let recording = record(|| {
        let mut elsewhere = Context::new();
        outer(|| elsewhere = Context::current());
        outer(|| under(&elsewhere));
    });
    assert_eq!(recording.to_string(), "outer\n└─ under\n   └─ leaf\nouter\n");
    let recording = record_async(under_remote([remote()].into_iter())).await;
    assert_eq!(recording.to_string(), "under_remote\n└─ leaf\n");
    assert_eq!(recording.spans()[0].parent_span_id, remote().span_id());
}

struct Message {
    trace_context: TraceContext,
}

#[span(links(messages.iter().map(|message| &message.trace_context)), size = messages.len())]
fn consume(messages: &[Message]) {}

#[span]
fn produce() -> Message {
    Message { trace_context: TraceContext::current() }
}

#[test]
fn links_can_be_given() {
    let recording = record(|| {
        let empty = Message { trace_context: TraceContext::default() };
        consume(&[produce(), empty, produce()]);
    });
    assert_eq!(recording.to_string(), "produce\nproduce\nconsume size=3\n");
    let [one, two, batch] = recording.spans() else { panic!("{recording}") };
    let ids = |span: &opentelemetry_sdk::trace::SpanData| span.span_context.span_id();
    let linked: Vec<_> = batch.links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(linked, [ids(one), ids(two)]);
    consume(&[]);
    // An empty one links nothing, whatever is current.
    let recording = record(|| {
        outer(|| {
            consume(&[Message { trace_context: TraceContext::default() }]);
            current().link(TraceContext::default());
        });
    });
    assert!(recording.spans().iter().all(|span| span.links.links.is_empty()), "{recording}");
}

#[span("later", retries = 0)]
fn later() {
    let span = current();
    span.set("retries", 3);
    span.set("cache.hit", true);
    span.event("retry", [KeyValue::new("attempt", 1)]);
    span.link(remote());
    span.link(current());
    span.fail("it took three");
}

#[test]
fn the_current_span_takes_attributes_events_links_and_failure() {
    let recording = record(later);
    assert_eq!(
        recording.to_string(),
        "later retries=3 cache.hit=true ✗ it took three\n  • retry attempt=1\n"
    );
    let links = &recording.spans()[0].links;
    assert_eq!(
        links.iter().next().map(|link| link.span_context.span_id()),
        Some(remote().span_id())
    );
    later();
}

#[span("recorded", first = 1)]
async fn recorded(
    #[record] id: u64,
    #[record("prompt.length", prompt.len())] prompt: &str,
    #[record(?)] mut debug: Option<u8>,
    #[record("shown", %)] shown: char,
    #[record("x", point.0)] point @ (_, y): (i32, i32),
) -> i32 {
    debug.take();
    assert!(id > 0 && !prompt.is_empty() && shown.is_alphabetic());
    point.0 + y
}

struct User {
    name: &'static str,
}

impl User {
    #[span]
    fn rename(#[record("name", self.name)] &mut self, name: &'static str) {
        self.name = name;
    }
}

#[tokio::test]
async fn parameters_are_recorded_where_they_stand() {
    let recording = record_async(async {
        assert_eq!(recorded(7, "cat", Some(1), 'x', (1, 2)).await, 3);
        User { name: "Ada" }.rename("Eve");
    })
    .await;
    assert_eq!(
        recording.to_string(),
        "recorded first=1 id=7 prompt.length=3 debug=\"Some(1)\" shown=\"x\" x=1\n\
         rename name=\"Ada\"\n"
    );
}

#[propagate(headers)]
#[span("linked", links([current()]))]
fn linked(headers: &[(&str, &str)]) {}

#[test]
fn options_go_together_with_propagation() {
    let recording = record(|| outer(|| linked(&[])));
    assert_eq!(recording.to_string(), "outer\n└─ linked\n");
    let [outer, linked] = recording.spans() else { panic!("{recording}") };
    let link = linked.links.iter().next().expect("a link");
    assert_eq!(link.span_context, outer.span_context);
}

#[tokio::test]
async fn the_trace_is_carried_into_tasks_and_threads() {
    #[span]
    async fn spawns() {
        let task = tokio::spawn(async { leaf() }.in_current_trace());
        task.await.expect("it does not panic");
        let thread = std::thread::spawn(carry(|| {
            leaf();
            7
        }));
        assert_eq!(thread.join().expect("it does not panic"), 7);
        tokio::task::spawn_blocking(carry(leaf)).await.expect("it does not panic");
    }
    let tree = record_async(spawns()).await.to_string();
    assert_eq!(tree, "spawns\n├─ leaf\n├─ leaf\n└─ leaf\n");
}

fn is_debug<T: Debug>(_: &T) {}

#[test]
fn public_types_can_be_looked_at() {
    is_debug(&current());
    is_debug(&spandrel::Outcome::default());
    is_debug(&opentelemetry::Context::current());
}
