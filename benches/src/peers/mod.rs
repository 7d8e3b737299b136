//! Those who are measured, each doing the same work in its own words.

pub(crate) mod emit;
pub(crate) mod fastrace;
pub(crate) mod hand;
pub(crate) mod ours;
pub(crate) mod plain;
pub(crate) mod tracing;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// What is set up while something is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    NotInstalled,
    Disabled,
    Unsampled,
    /// As unsampled, but what fails is kept.
    KeptOnError,
    Sampled,
}

pub(crate) const STATES: [State; 5] =
    [State::NotInstalled, State::Disabled, State::Unsampled, State::KeptOnError, State::Sampled];

/// Keeps something set up; dropping it takes it down.
pub(crate) type SetUp = Box<dyn Any>;

/// What is done, over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A root and ten children with two attributes each.
    Tree,
    /// Spans in spans, so deep.
    Depth50,
    /// An async function that is polled once.
    Poll1,
    /// One that is polled ten times.
    Poll10,
    /// A span with twenty attributes.
    Attributes20,
    /// A function that returns an error.
    Error,
    /// A function that returns a `Result`, and no error.
    Success,
    /// [`Tree`](Self::Tree), by eight threads at once.
    Threads8,
}

pub(crate) const WORKS: [Work; 8] = [
    Work::Tree,
    Work::Depth50,
    Work::Poll1,
    Work::Poll10,
    Work::Attributes20,
    Work::Error,
    Work::Success,
    Work::Threads8,
];

impl Work {
    pub(crate) fn named(name: &str) -> Option<Self> {
        WORKS.into_iter().find(|work| format!("{work:?}") == name)
    }

    /// How many spans it has.
    pub(crate) fn spans(self) -> u32 {
        match self {
            Self::Tree | Self::Threads8 => 11,
            Self::Depth50 => 50,
            _ => 1,
        }
    }
}

/// Does a work by the functions of the module that this is in, which may want something first.
macro_rules! by_functions {
    ($work:expr $(, $first:expr)?) => {
        match $work {
            Work::Tree | Work::Threads8 => tree($($first)?),
            Work::Depth50 => deep($($first,)? black_box(50)),
            Work::Poll1 => block_on(polls($($first,)? black_box(1))),
            Work::Poll10 => block_on(polls($($first,)? black_box(10))),
            Work::Attributes20 => twenty($($first,)? black_box(7)),
            Work::Error => drop(black_box(fails($($first,)? black_box(true)))),
            Work::Success => drop(black_box(fails($($first,)? black_box(false)))),
        }
    };
}
use by_functions;

pub(crate) trait Peer: Sync {
    fn name(&self) -> &'static str;

    /// With a queue of this length; `None` where the state is none of its own, or is not measured.
    fn set_up(&self, state: State, queue: usize) -> Option<SetUp>;

    /// On this thread too, where what is set up is not of the process.
    fn enter(&self) -> SetUp {
        Box::new(())
    }

    /// Does it once; `false` where it cannot.
    fn work(&self, work: Work) -> bool;

    /// Does it so often.
    fn repeat(&self, work: Work, times: u32) -> bool {
        (0..times).all(|_| self.work(work))
    }

    /// Waits until what was recorded is exported; how many spans were, from the beginning.
    fn exported(&self) -> Option<u64> {
        None
    }
}

/// The keys of `Work::Attributes20`, for those who need them as values.
pub(crate) const KEYS: [&str; 20] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "o", "p", "q", "r", "s", "t",
    "u",
];

/// An exporter that takes everything, and counts it.
#[derive(Clone, Debug, Default)]
struct Nowhere(Arc<AtomicU64>);

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed")
    }
}

impl std::error::Error for Failed {}

/// Ready after it was polled so many times.
pub(crate) async fn polled(times: u32) {
    let mut left = times;
    std::future::poll_fn(|_| {
        left -= 1;
        if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Polls until it is ready, with nothing between.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
}
