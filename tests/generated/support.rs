//! What the functions call, and how they are called.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Debug, Display};
// It is in the prelude of later editions only.
#[allow(unused_imports)]
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static IS_CALLED: Cell<bool> = const { Cell::new(false) };
}

/// Reports panics of the test, and not those of the functions.
pub(crate) fn keep_panics_quiet() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IS_CALLED.get() {
            report(panic);
        }
    }));
}

pub(crate) fn log(line: impl Display) {
    LOG.with_borrow_mut(|log| log.push(line.to_string()));
}

/// What a call logs, a panic included.
pub(crate) fn log_of(call: impl FnOnce()) -> Vec<String> {
    LOG.take();
    IS_CALLED.set(true);
    let came_to = catch_unwind(AssertUnwindSafe(call));
    IS_CALLED.set(false);
    if let Err(panic) = came_to {
        log(panic.downcast_ref::<String>().map_or("panic", String::as_str));
    }
    LOG.take()
}

/// Logs when it is dropped.
#[derive(Debug)]
pub(crate) struct Noisy(pub(crate) &'static str);

impl Noisy {
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or_default()
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        log(format_args!("drop {}", self.0));
    }
}

#[allow(dead_code)]
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) left: Noisy,
    pub(crate) right: Noisy,
}

pub(crate) fn pair() -> Pair {
    Pair { left: Noisy("left"), right: Noisy("right") }
}

/// An error that owns something.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Noisy);

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.0)
    }
}

impl std::error::Error for Failure {}

impl From<String> for Failure {
    fn from(_: String) -> Self {
        Self(Noisy("failure"))
    }
}

pub(crate) fn check(number: u32, bad: u32) -> Result<u32, String> {
    if number == bad { Err(format!("bad {bad}")) } else { Ok(number) }
}

pub(crate) fn maybe(number: u32, none: u32) -> Option<u32> {
    (number != none).then_some(number)
}

/// Pending once.
pub(crate) struct Pause(pub(crate) bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.0) { Poll::Pending } else { Poll::Ready(()) }
    }
}

pub(crate) fn pause() -> Pause {
    Pause(true)
}

/// Logs what a function came to.
pub(crate) fn done(value: impl Debug) {
    log(format_args!("came to {value:?}"));
}

/// Polls a future until it is ready, or once, or not at all.
pub(crate) fn drive<F: Future<Output: Debug>>(way: u32, future: F) {
    let mut future = pin!(future);
    let mut task = Context::from_waker(Waker::noop());
    let polls = [usize::MAX, 1, 0][way as usize];
    for _ in 0..polls {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return done(value);
        }
    }
    log("dropped");
}
