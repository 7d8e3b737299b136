//! `shutdown_signal`: SIGTERM and SIGINT, as a future.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::{after_fork, ensure_watching, handler};

/// A future that completes when the program receives SIGTERM or SIGINT. If one arrived after the first call of
/// this function, the future completes at once. It works on any async runtime, and without telemetry too.
///
/// From the first call on, the program handles these two signals: it may take as long as it likes to
/// finish its work, and ends when `main` returns. Telemetry never ends it. A second SIGTERM or SIGINT that
/// arrives at least half a second after the first ends the program at once, unless the program has a handler of
/// its own beside this one. A parent that passes SIGINT on to its children should start them in a process group
/// of their own, since a terminal sends SIGINT to them as well.
///
/// Spans that end after the signal are exported at once, and the last flush, when `main` returns, takes no
/// longer than what is left of [`Config::grace`](crate::Config::grace), where that is set.
///
/// ```no_run
/// # async fn serve() {}
/// # async fn example() {
/// tokio::select! {
///     () = serve() => {}
///     () = spandrel::shutdown_signal() => println!("stopping"),
/// }
/// # }
/// ```
pub fn shutdown_signal() -> ShutdownSignal {
    after_fork();
    handler::set_awaited();
    if ensure_watching() {
        handler::SIGNALS
            .into_iter()
            .filter(|signal| handler::is_stop(*signal))
            .for_each(handler::install);
    }
    ShutdownSignal { waker: None }
}

/// The future of [`shutdown_signal`].
#[derive(Debug)]
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
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
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
