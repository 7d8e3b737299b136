//! Drawings of traces, as text.

use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::{Capabilities, Drawing};
use crate::recorder::tests::empty_span;

fn drawing(spans: &[SpanData]) -> String {
    Drawing { spans, capabilities: Capabilities { colours: false, width: 80 } }.to_string()
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_000 + millis)
}

/// A span with this identifier, below the one with that (0: a root), in milliseconds.
fn span(id: u64, parent: u64, name: &str, start: u64, end: u64) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::from(parent),
        name: name.to_owned().into(),
        start_time: at(start),
        end_time: at(end),
        ..empty_span()
    }
}

fn failed(mut span: SpanData, description: &'static str) -> SpanData {
    span.status = Status::error(description);
    span
}

fn with(mut span: SpanData, attributes: &[(&'static str, &'static str)]) -> SpanData {
    span.attributes = key_values(attributes);
    span
}

fn event(
    mut span: SpanData,
    name: &'static str,
    time: u64,
    attributes: &[(&'static str, &'static str)],
) -> SpanData {
    span.events.events.push(Event::new(name, at(time), key_values(attributes), 0));
    span
}

fn key_values(attributes: &[(&'static str, &'static str)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| KeyValue::new(*key, *value)).collect()
}

#[test]
fn a_span_alone_is_one_line() {
    let greet = with(span(1, 0, "greet", 0, 3), &[("name", "Ada")]);
    assert_eq!(drawing(&[greet]), "greet 3.00 ms name=\"Ada\"\n");
    assert_eq!(drawing(&[]), "");
}

#[test]
fn concurrent_children_overlap_on_the_axis() {
    let mut root = span(1, 0, "fetch-all", 0, 100);
    root.span_kind = SpanKind::Server;
    let spans = [
        root,
        with(span(2, 1, "fetch", 10, 60), &[("url", "/a")]),
        span(3, 2, "parse", 50, 60),
        span(4, 1, "fetch", 15, 90),
        span(5, 1, "join", 95, 100),
    ];
    assert_eq!(
        drawing(&spans),
        "\
fetch-all [server]  100 ms ━━━━━━━━━━━━━━━━━━━━
├─ fetch           50.0 ms   ━━━━━━━━━━         url=\"/a\"
│  └─ parse        10.0 ms           ━━
├─ fetch           75.0 ms    ━━━━━━━━━━━━━━━
└─ join            5.00 ms                    ━
"
    );
}

#[test]
fn wide_characters_are_aligned() {
    let names = ["日本語", "👩‍🚀 launch", "cafe\u{301}", "plain"];
    let mut spans = vec![span(1, 0, "root", 0, 10)];
    spans.extend((2..).zip(names).map(|(id, name)| span(id, 1, name, 0, 10)));
    assert_eq!(
        drawing(&spans),
        "\
root         10.0 ms ━━━━━━━━━━━━━━━━━━━━
├─ 日本語    10.0 ms ━━━━━━━━━━━━━━━━━━━━
├─ 👩‍🚀 launch 10.0 ms ━━━━━━━━━━━━━━━━━━━━
├─ cafe\u{301}      10.0 ms ━━━━━━━━━━━━━━━━━━━━
└─ plain     10.0 ms ━━━━━━━━━━━━━━━━━━━━
"
    );
}

#[test]
fn a_name_too_long_moves_only_its_own_line() {
    let long = "long-".repeat(9);
    let spans = [span(1, 0, "root", 0, 10), span(2, 1, &long, 0, 10)];
    assert_eq!(
        drawing(&spans),
        format!(
            "root 10.0 ms ━━━━━━━━━━━━━━━━━━━━\n\
             └─ {long} 10.0 ms ━━━━━━━━━━━━━━━━━━━━\n"
        )
    );
}

#[test]
fn an_error_tells_its_chain_once() {
    let message = "no stock of pears";
    let error_type = ("error.type", "NoStock");
    let exception = [
        ("exception.type", "NoStock"),
        ("exception.message", message),
        (
            "exception.stacktrace",
            "no stock of pears\ncaused by: not a count\ncaused by: invalid digit",
        ),
    ];
    let reserve = failed(with(span(2, 1, "reserve", 20, 60), &[error_type]), message);
    let reserve = event(reserve, "cache miss", 40, &[("key", "pears")]);
    let spans = [
        failed(with(span(1, 0, "order", 0, 100), &[error_type]), message),
        event(reserve, "exception", 60, &exception),
        span(3, 2, "look-up", 20, 30),
    ];
    assert_eq!(
        drawing(&spans),
        "\
order               100 ms ━━━━━━━━━━━━━━━━━━━━ error.type=\"NoStock\" ✗
└─ reserve         40.0 ms     ━━━━━━━━         error.type=\"NoStock\" ✗ no stock of pears
   │ • cache miss +20.0 ms         •            key=\"pears\"
   │ caused by: not a count
   │ caused by: invalid digit
   └─ look-up      10.0 ms     ━━
"
    );
}

#[test]
fn a_panic_tells_its_place() {
    let attributes = [("error.type", "panic")];
    let mut span = failed(with(span(1, 0, "work", 0, 10), &attributes), "it broke");
    let mut exception = key_values(&[
        ("exception.type", "panic"),
        ("exception.message", "it broke"),
        ("code.file.path", "src/main.rs"),
    ]);
    exception.push(KeyValue::new("code.line.number", 12));
    span.events.events.push(Event::new("exception", at(10), exception, 0));
    let drawn = "work 10.0 ms error.type=\"panic\" ✗ it broke\n  at src/main.rs:12\n";
    assert_eq!(drawing(&[span]), drawn);
}

#[test]
fn links_say_where_to() {
    let mut batch = span(1, 0, "batch", 0, 10);
    let to = span(7, 0, "order", 0, 1).span_context;
    let link = Link::new(to, key_values(&[("queue", "orders")]), 0);
    batch.links.links.push(link);
    assert_eq!(
        drawing(&[batch, span(2, 1, "pay", 0, 10)]),
        "\
batch  10.0 ms ━━━━━━━━━━━━━━━━━━━━
│ ↪ link to 0000000000000007 in trace 4bf92f3577b34da6a3ce929d0e0e4736 queue=\"orders\"
└─ pay 10.0 ms ━━━━━━━━━━━━━━━━━━━━
"
    );
}

#[test]
fn an_exception_that_the_status_does_not_tell_is_an_event() {
    let exception = [("exception.type", "Timeout"), ("exception.message", "too slow")];
    let retried = event(span(1, 0, "retry", 0, 10), "exception", 5, &exception);
    assert_eq!(
        drawing(&[retried]),
        "\
retry          10.0 ms
  • exception +5.00 ms exception.type=\"Timeout\" exception.message=\"too slow\"
"
    );
}

fn steps(count: u64) -> Vec<SpanData> {
    let mut spans = vec![span(1, 0, "inference", 0, 10 * count)];
    spans.extend((0..count).map(|n| span(n + 2, 1, "denoise-step", 10 * n, 10 * n + 10)));
    spans
}

#[test]
fn long_runs_are_folded() {
    let mut spans = steps(20);
    spans.push(span(100, 5, "below", 30, 31));
    spans.push(span(101, 1, "decode", 190, 200));
    assert_eq!(
        drawing(&spans),
        "\
inference                         200 ms ━━━━━━━━━━━━━━━━━━━━
├─ denoise-step                  10.0 ms ━
├─ denoise-step                  10.0 ms  ━
├─ … 18 more denoise-step, 180 ms in all   ──────────────────
└─ decode                        10.0 ms                    ━
"
    );
}

#[test]
fn short_runs_are_not_folded() {
    assert_eq!(drawing(&steps(6)).lines().count(), 7);
    assert_eq!(drawing(&steps(7)).lines().count(), 4);
}

#[test]
fn what_failed_is_never_folded() {
    let mut spans = steps(20);
    spans[8].status = Status::error("not a number");
    spans.push(failed(span(100, 12, "kernel", 105, 106), "out of memory"));
    assert_eq!(
        drawing(&spans),
        "\
inference                         200 ms ━━━━━━━━━━━━━━━━━━━━
├─ denoise-step                  10.0 ms ━
├─ denoise-step                  10.0 ms  ━
├─ … 16 more denoise-step, 160 ms in all   ──────────────────
├─ denoise-step                  10.0 ms        ━             ✗ not a number
└─ denoise-step                  10.0 ms           ━
   └─ kernel                     1.00 ms           ╺          ✗ out of memory
"
    );
}

#[test]
fn those_that_take_turns_are_folded_too() {
    let mut spans = vec![span(1, 0, "loop", 0, 100)];
    let turns = (0..10).flat_map(|n| [(n, "read"), (n, "write")]);
    spans.extend((2..).zip(turns).map(|(id, (n, name))| span(id, 1, name, n * 10, n * 10 + 10)));
    let drawn = drawing(&spans);
    assert_eq!(drawn.lines().count(), 7, "{drawn}");
    assert!(drawn.contains("├─ … 8 more read, 80.0 ms in all"), "{drawn}");
    assert!(drawn.contains("└─ … 8 more write, 80.0 ms in all"), "{drawn}");
}

#[test]
fn a_parent_that_is_elsewhere_is_told_of_once() {
    let spans = [span(2, 1, "late", 0, 10), span(3, 1, "later", 10, 20)];
    assert_eq!(
        drawing(&spans),
        "\
late  10.0 ms ━━━━━━━━━━           in trace 4bf92f3577b34da6a3ce929d0e0e4736
later 10.0 ms           ━━━━━━━━━━
"
    );
}

#[test]
fn clocks_that_are_set_back_do_no_harm() {
    let spans = [span(1, 0, "root", 50, 20), span(2, 1, "early", 0, 40), span(3, 1, "now", 50, 50)];
    assert_eq!(
        drawing(&spans),
        "\
root        0 ns                    ╺
├─ early 40.0 ms ━━━━━━━━━━━━━━━━
└─ now      0 ns                    ╺
"
    );
}

#[test]
fn colours_say_what_failed() {
    let spans = [
        failed(span(1, 0, "root", 0, 10), "no"),
        with(span(2, 1, "child", 0, 10), &[("key", "value")]),
    ];
    let drawn = Drawing { spans: &spans, capabilities: Capabilities { colours: true, width: 40 } }
        .to_string();
    assert_eq!(
        drawn,
        "\x1b[1;31mroot\x1b[0m     10.0 ms \x1b[31m━━━━━━━━━━\x1b[0m \x1b[1;31m✗\x1b[0m \x1b[31mno\x1b[0m\n\
         \x1b[2m└─ \x1b[0mchild 10.0 ms \x1b[36m━━━━━━━━━━\x1b[0m \x1b[2mkey=\x1b[0m\"value\"\n"
    );
}

#[test]
fn nothing_recorded_steers_the_terminal() {
    let evil = "a\x1b]0;b\x07\n\u{202e}c\u{9b}";
    let mut hostile = failed(span(1, 0, evil, 0, 10), evil);
    hostile.attributes.push(KeyValue::new(evil, evil));
    hostile.attributes.push(KeyValue::new(evil, Value::Array(Array::String(vec![evil.into()]))));
    let exception = [("exception.stacktrace", evil), (evil, evil)];
    let hostile = event(event(hostile, evil, 5, &[(evil, evil)]), "exception", 5, &exception);
    let drawn = drawing(&[hostile]);
    assert!(!drawn.contains(|c: char| c != '\n' && c.is_control()), "{drawn:?}");
    assert!(!drawn.contains('\u{202e}'), "{drawn:?}");
}

#[test]
fn the_deep_stay_in_view() {
    let count = 10_000;
    let spans: Vec<_> = (1..=count).map(|id| span(id, id - 1, "deeper", 0, 10)).collect();
    let started = Instant::now();
    let drawn = drawing(&spans);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(drawn.lines().count(), 10_000);
    let last = format!("{}└─ ‹9999› deeper 10.0 ms", " ".repeat(21));
    assert!(drawn.lines().last().is_some_and(|line| line.starts_with(&last)));
}

#[test]
fn the_many_are_quick() {
    let distinct = (2..10_002).map(|id| span(id, 1, &format!("{id}"), id, id + 1));
    let spans: Vec<_> = [span(1, 0, "root", 0, 10_001)].into_iter().chain(distinct).collect();
    let started = Instant::now();
    assert_eq!(drawing(&spans).lines().count(), 10_001);
    assert_eq!(drawing(&steps(10_000)).lines().count(), 4);
    assert!(started.elapsed() < Duration::from_secs(2));
}
