//! `fastrace`, which collects whole traces.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::future::FutureExt;
use fastrace::local::LocalSpan;
use fastrace::prelude::SpanContext;
use fastrace::{Event, Span};

use super::{Failed, KEYS, Peer, SetUp, State, Work, block_on, polled};

pub(crate) struct Fastrace;

impl Peer for Fastrace {
    fn name(&self) -> &'static str {
        "fastrace"
    }

    fn set_up(&self, state: State, _queue: usize) -> Option<SetUp> {
        static REPORTER: Once = Once::new();
        if state != State::Sampled {
            return None;
        }
        REPORTER.call_once(|| fastrace::set_reporter(Nowhere, Config::default()));
        Some(Box::new(()))
    }

    fn work(&self, work: Work) -> bool {
        match work {
            Work::Tree | Work::Threads8 => tree(),
            Work::Depth50 => in_root("deep", || deep(black_box(49))),
            Work::Poll1 => block_on(polls(black_box(1))),
            Work::Poll10 => block_on(polls(black_box(10))),
            Work::Attributes20 => twenty(black_box(7)),
            Work::Error => in_root("fails", || drop(black_box(fails(black_box(true))))),
            Work::Success => in_root("fails", || drop(black_box(fails(black_box(false))))),
        }
        true
    }

    fn exported(&self) -> Option<u64> {
        fastrace::flush();
        Some(REPORTED.load(Ordering::Relaxed))
    }
}

static REPORTED: AtomicU64 = AtomicU64::new(0);

struct Nowhere;

impl Reporter for Nowhere {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        REPORTED.fetch_add(spans.len() as u64, Ordering::Relaxed);
    }
}

fn in_root(name: &'static str, body: impl FnOnce()) {
    let root = Span::root(name, SpanContext::random());
    let _attached = root.set_local_parent();
    body();
}

fn pairs(number: i64, text: &str) -> [(Cow<'static, str>, Cow<'static, str>); 2] {
    [("number".into(), number.to_string().into()), ("text".into(), text.to_owned().into())]
}

pub(crate) fn tree() {
    let root = Span::root("root", SpanContext::random()).with_properties(|| pairs(0, "root"));
    let _attached = root.set_local_parent();
    for number in 0..10 {
        child(black_box(number), black_box("child"));
    }
}

fn child(number: i64, text: &str) {
    let _span = LocalSpan::enter_with_local_parent("child").with_properties(|| pairs(number, text));
    black_box((number, text));
}

fn deep(left: u32) {
    let _span = LocalSpan::enter_with_local_parent("deep");
    if left > 1 {
        deep(left - 1);
    }
    black_box(left);
}

async fn polls(times: u32) {
    polled(times).in_span(Span::root("polls", SpanContext::random())).await;
}

fn twenty(n: i64) {
    let root = Span::root("twenty", SpanContext::random())
        .with_properties(|| KEYS.map(|key| (key, n.to_string())));
    let _attached = root.set_local_parent();
    black_box(n);
}

fn fails(yes: bool) -> Result<u32, Failed> {
    let result = if yes { Err(Failed) } else { Ok(7) };
    if let Err(error) = &result {
        LocalSpan::add_properties(|| {
            [
                ("span.status_code", "error".to_owned()),
                ("span.status_description", error.to_string()),
            ]
        });
        LocalSpan::add_event(Event::new("exception").with_properties(|| {
            [
                ("exception.type", std::any::type_name::<Failed>().to_owned()),
                ("exception.message", error.to_string()),
            ]
        }));
    }
    result
}
