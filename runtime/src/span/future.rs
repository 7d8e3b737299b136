//! A span for a future.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use super::Span;
use crate::outcome::Outcome;

pin_project! {
    /// A future in a span: current during each poll and never between.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct SpanFuture<F, O> {
        // `None` once it was dropped, inside the span.
        #[pin]
        pub(super) future: Option<F>,
        pub(super) span: Span,
        pub(super) outcome: Option<O>,
    }

    impl<F, O> PinnedDrop for SpanFuture<F, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.span.cancel(&mut || this.future.set(None));
        }
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
        let Some(mut future) = this.future.as_pin_mut() else {
            unreachable!("it is only dropped with the future round it");
        };
        let polled = this.span.poll(|| future.as_mut().poll(task));
        if let (Poll::Ready(value), true) = (&polled, this.span.asks())
            && let Some(outcome) = this.outcome.take()
        {
            this.span.finish(outcome(value));
        }
        polled
    }
}

impl<F, O> FusedFuture for SpanFuture<F, O>
where
    F: FusedFuture,
    O: FnOnce(&F::Output) -> Outcome,
{
    fn is_terminated(&self) -> bool {
        self.future.as_ref().is_none_or(F::is_terminated)
    }
}
