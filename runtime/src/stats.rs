//! The account of every span: `accepted = exported + dropped + failed + waiting`, at every moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What became of the spans of this process since it started.
///
/// At every moment `accepted = exported + dropped + failed + waiting`, and after the last
/// [`AppGuard`](crate::AppGuard) was dropped nothing waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Spans that ended and are to be exported: sampled ones, and those of traces that are kept.
    pub accepted: u64,
    /// Spans that the collector took, or the terminal shows; with `OTEL_TRACES_EXPORTER=none` all.
    pub exported: u64,
    /// Spans that no request was made for: the queue was full, or time ran out.
    pub dropped: u64,
    /// Spans in requests that failed for good, or that the collector rejected.
    pub failed: u64,
    /// Spans in the queue, or in requests that have not been answered.
    pub waiting: u64,
    /// Spans of unsampled traces that were recorded in case something fails and let go too early,
    /// for want of memory. They are in no other number.
    pub let_go: u64,
}

/// The account of this process so far.
pub fn stats() -> Stats {
    accounts().iter().map(|account| account.stats()).fold(Stats::default(), Stats::plus)
}

impl Stats {
    /// Spans that will not arrive.
    pub fn lost(&self) -> u64 {
        self.dropped + self.failed
    }

    fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            exported: self.exported + other.exported,
            dropped: self.dropped + other.dropped,
            failed: self.failed + other.failed,
            waiting: self.waiting + other.waiting,
            let_go: self.let_go + other.let_go,
        }
    }
}

/// Every account there ever was: one a pipeline.
static ACCOUNTS: Mutex<Vec<Arc<Account>>> = Mutex::new(Vec::new());

fn accounts() -> MutexGuard<'static, Vec<Arc<Account>>> {
    ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The account of one pipeline.
#[derive(Debug, Default)]
pub(crate) struct Account {
    accepted: AtomicU64,
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    let_go: AtomicU64,
}

impl Account {
    pub(crate) fn open() -> Arc<Self> {
        let account = Arc::<Self>::default();
        accounts().push(account.clone());
        account
    }

    pub(crate) fn accept(&self) {
        add(&self.accepted, 1);
    }

    pub(crate) fn export(&self, spans: usize) {
        add(&self.exported, spans);
    }

    pub(crate) fn drop_spans(&self, spans: usize) {
        add(&self.dropped, spans);
    }

    pub(crate) fn fail(&self, spans: usize) {
        add(&self.failed, spans);
    }

    pub(crate) fn let_go(&self, spans: usize) {
        add(&self.let_go, spans);
    }

    /// In a child of `fork`: what waits is on the parent's account.
    pub(crate) fn disown_waiting(&self) {
        self.accepted.fetch_sub(self.stats().waiting, Ordering::AcqRel);
    }

    pub(crate) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        // What has come last: a span is accepted before it is anything else.
        let (exported, dropped, failed) =
            (read(&self.exported), read(&self.dropped), read(&self.failed));
        let accepted = read(&self.accepted);
        let waiting = accepted.saturating_sub(exported + dropped + failed);
        Stats { accepted, exported, dropped, failed, waiting, let_go: read(&self.let_go) }
    }
}

fn add(counter: &AtomicU64, spans: usize) {
    counter.fetch_add(spans as u64, Ordering::AcqRel);
}
