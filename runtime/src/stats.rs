//! The account of every span: `accepted = exported + dropped + failed + waiting`, at every moment.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use crate::lock::Unpoisoned;
use crate::recorder::{self, HeldTraces};

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
    /// Spans in the buffers of threads, in the queue, or in requests that have not been answered.
    pub waiting: u64,
    /// Spans that were held in case something fails, and were evicted from memory before that was known. Spans of sampled
    /// traces are exported then, and counted in [`accepted`](Self::accepted) too; other spans are in no other number.
    pub evicted: u64,
}

impl Stats {
    /// Spans that will not arrive.
    pub fn lost(&self) -> u64 {
        self.dropped + self.failed
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            exported: self.exported + other.exported,
            dropped: self.dropped + other.dropped,
            failed: self.failed + other.failed,
            waiting: self.waiting + other.waiting,
            evicted: self.evicted + other.evicted,
        }
    }
}

/// Where spans are counted: each pipeline keeps its own account, under the lock under which its spans move.
pub(crate) trait Account: Send + Sync {
    fn stats(&self) -> Stats;
}

/// The accounts of this process.
static ACCOUNTS: Mutex<Accounts> = Mutex::new(Accounts { open: Vec::new(), closed: None });

struct Accounts {
    open: Vec<Weak<dyn Account>>,
    /// The sum of those that are closed.
    closed: Option<Stats>,
}

fn accounts() -> MutexGuard<'static, Accounts> {
    ACCOUNTS.lock().unpoisoned()
}

/// From now on this account is in the sum. Its owner calls [`close`] when it is dropped.
pub(crate) fn open(account: &Arc<impl Account + 'static>) {
    let account: Arc<dyn Account> = account.clone();
    accounts().open.push(Arc::downgrade(&account));
}

/// Adds the last state of an account that is about to go.
pub(crate) fn close(stats: Stats) {
    let mut accounts = accounts();
    accounts.closed = Some(accounts.closed.unwrap_or_default().plus(stats));
    accounts.open.retain(|account| account.strong_count() > 0);
}

/// The sum of all accounts.
pub(crate) fn sum() -> Stats {
    let accounts = accounts();
    let open: Vec<_> = accounts.open.iter().filter_map(Weak::upgrade).collect();
    let closed = accounts.closed.unwrap_or_default();
    // Without the lock, since the last reference to an account may be dropped here.
    drop(accounts);
    let late = recorder::late();
    let late = Stats { accepted: late, dropped: late, ..Stats::default() };
    open.iter().map(|account| account.stats()).fold(closed.plus(late), Stats::plus)
}

/// In a child of `fork`: what was counted before is the parent's.
pub(crate) fn start_over() {
    if let Ok(mut accounts) = ACCOUNTS.try_lock() {
        accounts.closed = None;
    }
}

/// Spans that have come and gone; those that wait are counted where they wait.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) exported: u64,
    pub(crate) dropped: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// With so many spans that wait.
    pub(crate) fn and_waiting(self, waiting: usize) -> Stats {
        let Self { accepted, exported, dropped, failed } = self;
        Stats { accepted, exported, dropped, failed, waiting: waiting as u64, evicted: 0 }
    }
}

/// Counts the evicted spans of traces that were held until it is known whether they are kept.
#[derive(Debug)]
pub(crate) struct EvictedAccount(pub(crate) Arc<HeldTraces>);

impl Drop for EvictedAccount {
    fn drop(&mut self) {
        close(self.stats());
    }
}

impl Account for EvictedAccount {
    fn stats(&self) -> Stats {
        let evicted = self.0.of_this_process().evicted() as u64;
        Stats { evicted, ..Stats::default() }
    }
}
