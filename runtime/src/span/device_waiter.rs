//! The thread that asks devices when their work was done, and ends the spans that wait for it.

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use super::panic::contained;
use super::pending_span::PendingSpan;
use crate::device::Resolve;
use crate::internal_threads;
use crate::lock::Unpoisoned;
use crate::report::say;

/// So many spans wait for their devices at most; one that comes then ends with its body.
const MOST_WAITING: usize = 1024;

/// If a device has not answered for this long while other spans wait, that is reported.
const LONG: Duration = Duration::from_secs(10);

/// One recorder's. The thread starts with the first span that waits, and asks for one after the
/// other, in the order their bodies ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceWaiter(Arc<WaiterShared>);

#[derive(Debug)]
struct WaiterShared {
    queue: Mutex<DeviceQueue>,
    /// Tells the thread of something to do, and whoever waits that something is done.
    changed: Condvar,
    /// The process that the thread is in, and the spans that wait are of.
    process: u32,
    /// What takes its place in a child of `fork`, where the thread may have held the lock.
    child: OnceLock<Arc<Self>>,
}

#[derive(Default)]
struct DeviceQueue {
    waiting: VecDeque<(PendingSpan, Resolve)>,
    /// The one whose device is being asked, and since when.
    asked: Option<(PendingSpan, Instant)>,
    /// Whether a slow device was reported.
    reported_late: bool,
    /// How many came so far, and how many of those have ended.
    taken: u64,
    ended: u64,
    /// How many found it full.
    refused: u64,
    /// Whether the thread has started.
    runs: bool,
    closed: bool,
}

impl DeviceWaiter {
    /// Ends the span when its device tells when its work was done; hands it back where that cannot
    /// be waited for.
    pub(super) fn hand_over(
        &self,
        pending: PendingSpan,
        resolve: Resolve,
    ) -> Result<(), PendingSpan> {
        let shared = self.of_this_process();
        let mut queue = shared.queue();
        let full = queue.waiting.len() >= MOST_WAITING;
        if queue.closed || full || !shared.runs(&mut queue) {
            queue.refused += u64::from(full);
            let first = full && queue.refused == 1;
            drop(queue);
            contained(|| drop(resolve));
            if first {
                say(format_args!(
                    "{MOST_WAITING} spans wait for their devices; those that come now end with \
                     their bodies, unmeasured"
                ));
            }
            return Err(pending);
        }
        queue.waiting.push_back((pending, resolve));
        queue.taken += 1;
        let late = queue.is_late();
        drop(queue);
        shared.changed.notify_all();
        if late {
            say(format_args!(
                "a device has not answered for {LONG:?}; the spans that end after that wait for it"
            ));
        }
        Ok(())
    }

    /// That of this process.
    fn of_this_process(&self) -> &Arc<WaiterShared> {
        let mut shared = &self.0;
        while shared.process != process::id() {
            shared = shared.child.get_or_init(Arc::default);
        }
        shared
    }

    /// Waits this long for the spans that wait for their devices now; whether all of them have
    /// ended. Not on the thread that ends them.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let patience =
            if internal_threads::is_current_marked() { Duration::ZERO } else { patience };
        let shared = self.of_this_process();
        let queue = shared.queue();
        let taken = queue.taken;
        let (queue, _) = shared
            .changed
            .wait_timeout_while(queue, patience, |queue| queue.ended < taken)
            .unpoisoned();
        queue.ended >= taken
    }

    /// Ends every span that waits, and takes no more.
    pub(crate) fn end_all(&self) {
        let shared = self.of_this_process();
        let mut queue = shared.queue();
        queue.closed = true;
        let asked = queue.asked.take();
        let waiting = std::mem::take(&mut queue.waiting);
        let refused = std::mem::take(&mut queue.refused);
        drop(queue);
        shared.changed.notify_all();
        if let Some((pending, _)) = asked {
            shared.end(|| pending.interrupted());
        }
        for (pending, resolve) in waiting {
            contained(|| drop(resolve));
            shared.end(|| pending.interrupted());
        }
        if refused > 0 {
            say(format_args!(
                "{refused} spans ended with their bodies, unmeasured: {MOST_WAITING} others waited \
                 for their devices"
            ));
        }
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        let shared = self.of_this_process();
        shared.queue().closed = true;
        shared.changed.notify_all();
    }
}

impl WaiterShared {
    fn queue(&self) -> MutexGuard<'_, DeviceQueue> {
        self.queue.lock().unpoisoned()
    }

    /// Whether there is a thread; it starts when it is first asked for.
    fn runs(self: &Arc<Self>, queue: &mut DeviceQueue) -> bool {
        if !queue.runs {
            let shared = self.clone();
            queue.runs = internal_threads::spawn("spandrel-device", move || shared.run()).is_ok();
        }
        queue.runs
    }

    /// What the thread does, until there is nothing left to do and no more is taken.
    fn run(&self) {
        internal_threads::mark_current();
        while let Some(resolve) = self.next() {
            let measurement = internal_threads::run_user_code(|| contained(resolve)).flatten();
            // Unless it was given up in the meantime.
            let asked = self.queue().asked.take();
            if let Some((pending, _)) = asked {
                self.end(|| pending.resolved(measurement.as_ref()));
            }
        }
    }

    fn next(&self) -> Option<Resolve> {
        let nothing = |queue: &mut DeviceQueue| queue.waiting.is_empty() && !queue.closed;
        let mut queue = self.changed.wait_while(self.queue(), nothing).unpoisoned();
        let (pending, resolve) = queue.waiting.pop_front()?;
        queue.asked = Some((pending, Instant::now()));
        Some(resolve)
    }

    /// Ends a span, and counts it whatever comes of that.
    fn end(&self, end: impl FnOnce()) {
        contained(end);
        self.queue().ended += 1;
        self.changed.notify_all();
    }
}

impl DeviceQueue {
    /// Whether a slow device has to be reported now.
    fn is_late(&mut self) -> bool {
        let long = |(_, since): &(PendingSpan, Instant)| since.elapsed() > LONG;
        let late = !self.reported_late && self.asked.as_ref().is_some_and(long);
        self.reported_late |= late;
        late
    }
}

impl Default for WaiterShared {
    fn default() -> Self {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        Self { queue, changed, process: process::id(), child: OnceLock::new() }
    }
}

impl Drop for WaiterShared {
    fn drop(&mut self) {
        if self.process != process::id() {
            // Spans end when they are dropped, and these are not of this process.
            let queue = self.queue.get_mut().unpoisoned();
            std::mem::forget(std::mem::take(queue));
        }
    }
}

impl Debug for DeviceQueue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let waiting = self.waiting.len();
        f.debug_struct("DeviceQueue").field("waiting", &waiting).finish_non_exhaustive()
    }
}
