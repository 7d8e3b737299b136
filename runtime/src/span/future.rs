//! A span for a future.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Span;
use crate::outcome::Failure;

pin_project! {
    /// A future in a span: current during each poll and never between.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct SpanFuture<F, O> {
        // `None` once it was dropped, inside the span.
        #[pin]
        future: Option<F>,
        span: Span,
        outcome: Option<O>,
    }

    impl<F, O> PinnedDrop for SpanFuture<F, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.span.records() {
                let attached = this.span.context.clone().map(opentelemetry::Context::attach);
                this.future.set(None);
                drop(attached);
                this.span.finish_cancelled();
            }
        }
    }
}

impl<F, O> SpanFuture<F, O> {
    pub(super) fn new(future: F, span: Span, outcome: O) -> Self {
        Self { future: Some(future), span, outcome: Some(outcome) }
    }
}

impl<F, O> Future for SpanFuture<F, O>
where
    F: Future,
    O: for<'a> FnOnce(&'a F::Output) -> Option<Failure<'a>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            panic!("a `SpanFuture` was polled after it was dropped");
        };
        let Some(context) = &this.span.context else {
            return future.poll(task);
        };
        let attached = context.clone().attach();
        if !this.span.records() {
            return future.poll(task);
        }
        // The future itself may be dropped much later, by whoever catches its panic.
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(task)));
        drop(attached);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => {
                let failure = this.outcome.take().and_then(|outcome| outcome(&value));
                this.span.finish(failure.as_ref());
                Poll::Ready(value)
            }
            Err(payload) => {
                this.span.finish_panicked(&*payload);
                resume_unwind(payload)
            }
        }
    }
}
