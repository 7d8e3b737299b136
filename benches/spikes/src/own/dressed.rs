//! The recorder in slots, with what `span/` does for a span beside recording it: finds the recorder,
//! asks the parent and the thread, and catches panics, in functions that are compiled once.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::panicking;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt};

use super::clock::{Clock, Counter};
use super::current::{Current, Slot};
use super::export::Discarding;
use super::fields::{Encoded, Fields};
use super::local::{Local, Place, here};
use super::span::{Data, Parent};
use crate::peers::{KEYS, Peer, SetUp, State, Work, block_on, polled};

static RECORDERS: AtomicUsize = AtomicUsize::new(1);
static GENERATION: AtomicUsize = AtomicUsize::new(1);
static PRUNES: AtomicBool = AtomicBool::new(false);

/// The recorder as this thread knows it.
struct Here {
    generation: usize,
    recorder: Arc<()>,
    local: &'static Local,
}

thread_local!(static HERE: RefCell<Option<Rc<Here>>> = const { RefCell::new(None) });

fn installed() -> Rc<Here> {
    let generation = GENERATION.load(Ordering::Acquire);
    HERE.with_borrow_mut(|known| match known {
        Some(known) if known.generation == generation => known.clone(),
        _ => known
            .insert(Rc::new(Here { generation, recorder: Arc::new(()), local: here() }))
            .clone(),
    })
}

fn is_alive() -> bool {
    struct Canary;

    impl Drop for Canary {
        fn drop(&mut self) {}
    }

    thread_local!(static CANARY: Canary = {
        Context::map_current(|_| ());
        Canary
    });
    CANARY.try_with(|_| ()).is_ok()
}

pub(crate) struct Span {
    held: (Context, Place),
    outer: SpanId,
    was_panicking: bool,
}

#[inline]
pub(crate) fn start(name: &'static str, attributes: impl FnOnce(&mut Encoded)) -> Option<Span> {
    if RECORDERS.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let mut attributes = Some(attributes);
    begin(name, &mut |list| {
        if let Some(attributes) = attributes.take() {
            attributes(list);
        }
    })
}

#[inline(never)]
fn begin(name: &'static str, attributes: &mut dyn FnMut(&mut Encoded)) -> Option<Span> {
    if !is_alive() {
        return None;
    }
    let here = installed();
    let (parent, state) = Context::map_current(|context| {
        let scoped = context.get::<Arc<u8>>().is_some();
        let span = context.span();
        let span = span.span_context();
        let unsampled = span.is_valid() && !span.is_sampled();
        let refused = PRUNES.load(Ordering::Relaxed) && unsampled;
        let recorded = !scoped && !refused && !context.is_telemetry_suppressed();
        recorded.then(|| (Parent::of(span), span.trace_state().clone()))
    })?;
    black_box((&here.recorder, here.local, state));
    let mut data = Data::<Counter, Encoded>::begin(name, parent);
    let told = catch_unwind(AssertUnwindSafe(|| attributes(&mut data.fields)));
    let span = Span { held: Slot::hold(data), outer: parent.id, was_panicking: panicking() };
    match told {
        Ok(()) => Some(span),
        Err(payload) => span.end_by_panic(payload),
    }
}

impl Span {
    #[inline]
    fn run<T>(self, body: impl FnOnce() -> T) -> T {
        let (mut body, mut value) = (Some(body), None);
        self.within(&mut || value = body.take().map(|body| body()));
        self.end();
        value.expect("the body has run")
    }

    #[inline(never)]
    fn within(&self, body: &mut dyn FnMut()) {
        let attached = is_alive().then(|| self.held.0.clone().attach());
        let caught = catch_unwind(AssertUnwindSafe(body));
        drop(attached);
        if let Err(payload) = caught {
            self.end_by_panic(payload)
        }
    }

    #[cold]
    fn end_by_panic(&self, payload: Box<dyn Any + Send>) -> ! {
        self.held.1.end(Counter::nanos(Counter::now()));
        resume_unwind(payload)
    }

    fn end(self) {
        black_box((self.outer, panicking() && !self.was_panicking));
        Slot::end(self.held);
    }
}

async fn follow<T>(span: Option<Span>, body: impl Future<Output = T>) -> T {
    let mut body = pin!(body);
    let value = poll_fn(|task| {
        let mut polled = Poll::Pending;
        let mut poll = || polled = body.as_mut().poll(task);
        match &span {
            Some(span) => span.within(&mut poll),
            None => poll(),
        }
        polled
    })
    .await;
    if let Some(span) = span {
        span.end();
    }
    value
}

fn run<T>(span: Option<Span>, body: impl FnOnce() -> T) -> T {
    match span {
        Some(span) => span.run(body),
        None => body(),
    }
}

pub(crate) struct Dressed;

impl Peer for Dressed {
    fn name(&self) -> &'static str {
        "… a handle, with the rest of `span/`"
    }

    fn set_up(&self, _state: State, _queue: usize) -> Option<SetUp> {
        Some(Box::new(Discarding::start()))
    }

    fn work(&self, work: Work) -> bool {
        match work {
            Work::Tree | Work::Threads8 => tree(),
            Work::Depth50 => deep(black_box(50)),
            Work::Poll1 => block_on(polls(black_box(1))),
            Work::Poll10 => block_on(polls(black_box(10))),
            Work::Attributes20 => twenty(black_box(7)),
            Work::Error | Work::Success => return false,
        }
        true
    }
}

pub(crate) fn tree() {
    let span = start("root", |fields| {
        fields.integer("number", 0);
        fields.text("text", "root");
    });
    run(span, || {
        for number in 0..10 {
            child(black_box(number), black_box("child"));
        }
    });
}

fn child(number: i64, text: &str) {
    let span = start("child", |fields| {
        fields.integer("number", number);
        fields.text("text", text);
    });
    run(span, || {
        black_box((number, text));
    });
}

fn deep(left: u32) {
    run(start("deep", |_| ()), || {
        if left > 1 {
            deep(left - 1);
        }
        black_box(left);
    });
}

async fn polls(times: u32) {
    follow(start("polls", |_| ()), polled(times)).await;
}

fn twenty(n: i64) {
    let span = start("twenty", |fields| {
        for key in KEYS {
            fields.integer(key, n);
        }
    });
    run(span, || {
        black_box(n);
    });
}
