//! A span for a future.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::panicking;

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use super::ActiveSpan;
use super::active_span::Attached;
use super::ending::Ending;
use super::panic::Panic;
use crate::outcome::Outcome;

thread_local! {
    /// The span that the future which is polled has started, on its way to the [`SpanFuture`] round it.
    static STARTED: Cell<Option<ActiveSpan>> = const { Cell::new(None) };
    /// The spans whose futures are being dropped, the innermost last; `None` for one that has ended.
    static DROPPING: RefCell<Vec<Option<Dropping>>> = const { RefCell::new(Vec::new()) };
}

pin_project! {
    /// A future in a span: current during each poll and never between.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct SpanFuture<F, O> {
        #[pin]
        future: F,
        // After the future, which is dropped inside the span.
        span: Followed,
        outcome: Option<O>,
        // Whether the future may start the span itself when it is polled for the first time.
        is_new: bool,
    }

    impl<F, O> PinnedDrop for SpanFuture<F, O> {
        fn drop(this: Pin<&mut Self>) {
            this.project().span.start_dropping();
        }
    }
}

/// The span of a future. It has no field of its own, for it is part of each future.
#[derive(Debug)]
struct Followed(ActiveSpan);

/// What is there to undo when a future was dropped in its span.
struct Dropping {
    running: Attached,
    /// Whether the thread was unwinding before: that panic is not the future's.
    was_panicking: bool,
}

/// A future that starts its span itself, with [`started`], before it does anything else.
#[inline]
pub fn in_span<F, O>(future: F, outcome: O) -> SpanFuture<F, O>
where
    F: Future,
    O: FnOnce(&F::Output) -> Outcome,
{
    SpanFuture::new(future, ActiveSpan::DISABLED, outcome, true)
}

/// Hands the span of a future to the [`SpanFuture`] that polls it. When what this returns is ready, the span
/// is current.
#[inline]
pub fn started(span: ActiveSpan) -> SpanHandover {
    if span.has_no_effect() {
        std::mem::forget(span);
        return SpanHandover { waits: false };
    }
    hand_over(span)
}

fn hand_over(span: ActiveSpan) -> SpanHandover {
    // A thread that has no such variable any more has no current span either.
    SpanHandover { waits: STARTED.try_with(|started| started.set(Some(span))).is_ok() }
}

/// Takes the span that the future has started, if it has.
#[inline(never)]
fn take_started(span: &mut ActiveSpan) -> bool {
    let Ok(Some(started)) = STARTED.try_with(Cell::take) else { return false };
    *span = started;
    true
}

/// Ready when the span is current.
#[derive(Debug)]
#[must_use = "the span is current when this is ready"]
pub struct SpanHandover {
    waits: bool,
}

impl Future for SpanHandover {
    type Output = ();

    /// Pending once, if there is a span. Only the [`SpanFuture`] round it sees that, and it polls again at once.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.waits) { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl<F, O> SpanFuture<F, O> {
    pub(super) fn new(future: F, span: ActiveSpan, outcome: O, is_new: bool) -> Self {
        Self { future, span: Followed(span), outcome: Some(outcome), is_new }
    }
}

impl<F, O> Future for SpanFuture<F, O>
where
    F: Future,
    O: FnOnce(&F::Output) -> Outcome,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let (mut future, span) = (this.future, &mut this.span.0);
        loop {
            let mut polled = Poll::Pending;
            span.poll(&mut || {
                polled = future.as_mut().poll(task);
                polled.is_pending()
            });
            match &polled {
                Poll::Pending if std::mem::take(this.is_new) && take_started(span) => continue,
                Poll::Ready(value) if span.wants_outcome() => {
                    if let Some(outcome) = this.outcome.take() {
                        span.finish(outcome(value));
                    }
                }
                Poll::Pending | Poll::Ready(_) => {}
            }
            return polled;
        }
    }
}

impl<F, O> FusedFuture for SpanFuture<F, O>
where
    F: FusedFuture,
    O: FnOnce(&F::Output) -> Outcome,
{
    fn is_terminated(&self) -> bool {
        self.future.is_terminated()
    }
}

impl Followed {
    /// Makes the span current while its future is dropped, which comes next.
    #[inline]
    fn start_dropping(&mut self) {
        if self.0.may_be_open() {
            let dropping = self.0.is_open().then(|| Dropping {
                was_panicking: panicking(),
                running: self.0.enter_body_once(true),
            });
            let _ = DROPPING.try_with(|all| all.borrow_mut().push(dropping));
        }
    }

    fn end_dropping(&mut self) {
        let pop = |all: &RefCell<Vec<Option<Dropping>>>| all.borrow_mut().pop();
        let Some(Some(Dropping { running, was_panicking })) = DROPPING.try_with(pop).ok().flatten()
        else {
            return;
        };
        self.0.leave(running, false);
        let panic = (panicking() && !was_panicking).then(Panic::unwinding);
        self.0.end(&panic.as_ref().map_or(Ending::Cancelled, Ending::Panic), None);
    }
}

impl Drop for Followed {
    #[inline]
    fn drop(&mut self) {
        if self.0.may_be_open() {
            self.end_dropping();
        }
    }
}

impl ActiveSpan {
    /// The future in this span, which is current during each poll, and ends when the future is
    /// ready or dropped.
    pub fn follow<F, O>(self, future: F, outcome: O) -> SpanFuture<F, O>
    where
        F: Future,
        O: FnOnce(&F::Output) -> Outcome,
    {
        SpanFuture::new(future, self, outcome, false)
    }
}
