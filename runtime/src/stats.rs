//! The account of every span: `accepted = exported + dropped + failed`, once all are through.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What became of the spans of this process since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sampled spans that ended.
    pub accepted: u64,
    /// Spans that the collector took, or the terminal shows.
    pub exported: u64,
    /// Spans that no request was made for: the queue was full, or time ran out.
    pub dropped: u64,
    /// Spans in requests that failed.
    pub failed: u64,
}

/// The account of this process so far. Spans that still wait are in `accepted` only.
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
    failed: AtomicU64,
    closed: AtomicBool,
    /// Held while a batch is counted, so that none is counted after the account was closed.
    settling: Mutex<()>,
}

impl Account {
    pub(crate) fn open() -> Arc<Self> {
        let account = Arc::<Self>::default();
        accounts().push(account.clone());
        account
    }

    pub(crate) fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn export(&self, spans: usize) {
        self.settle(&self.exported, spans);
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn fail(&self, spans: usize) {
        self.settle(&self.failed, spans);
    }

    /// What is still on its way counts as dropped from now on, whatever comes of it.
    #[cfg(feature = "otlp")]
    pub(crate) fn close(&self) {
        let _settling = self.settling();
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (exported, failed) = (read(&self.exported), read(&self.failed));
        let accepted = read(&self.accepted);
        let closed = self.closed.load(Ordering::Relaxed);
        let dropped = if closed { accepted.saturating_sub(exported + failed) } else { 0 };
        Stats { accepted, exported, dropped, failed }
    }

    fn settle(&self, counter: &AtomicU64, spans: usize) {
        let _settling = self.settling();
        if !self.closed.load(Ordering::Relaxed) {
            counter.fetch_add(spans as u64, Ordering::Relaxed);
        }
    }

    fn settling(&self) -> MutexGuard<'_, ()> {
        self.settling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
