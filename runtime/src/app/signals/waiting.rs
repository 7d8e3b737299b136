//! The futures that wait for SIGTERM or SIGINT.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use crate::lock::Unpoisoned;

/// The future of [`shutdown_signal`](crate::shutdown_signal).
#[derive(Debug, Default)]
#[must_use = "futures do nothing unless polled"]
pub struct ShutdownSignal {
    /// Where its waker is, once it has been polled.
    waker: Option<usize>,
}

#[derive(Debug)]
struct Waiting {
    announced: bool,
    wakers: Slab<Waker>,
}

static WAITING: Mutex<Waiting> = Mutex::new(Waiting { announced: false, wakers: Slab::new() });

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unpoisoned()
}

/// Forgets the signals of the parent, in a child of `fork`. The futures are the parent's.
pub(super) fn reset() {
    if let Ok(mut waiting) = WAITING.try_lock() {
        waiting.announced = false;
    }
}

/// Completes all futures, and those that are made later.
pub(super) fn announce() {
    let mut waiting = waiting();
    waiting.announced = true;
    let wakers = std::mem::take(&mut waiting.wakers);
    // Wakers are called without the lock: one may drop a `ShutdownSignal`, whose `Drop` takes the lock.
    drop(waiting);
    for (_, waker) in wakers {
        // A waker is the executor's code.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

impl Future for ShutdownSignal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let waker = task.waker().clone();
        let mut waiting = waiting();
        if waiting.announced {
            return Poll::Ready(());
        }
        let old = self.waker.and_then(|index| waiting.wakers.try_remove(index));
        self.waker = Some(waiting.wakers.insert(waker));
        // The old waker is dropped without the lock, for the same reason.
        drop(waiting);
        drop(old);
        Poll::Pending
    }
}

impl Drop for ShutdownSignal {
    fn drop(&mut self) {
        let waker = self.waker.and_then(|index| waiting().wakers.try_remove(index));
        drop(waker);
    }
}
