//! A span for a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::ActiveSpan;
use crate::outcome::Outcome;

pin_project! {
    /// A stream in a span: current during each poll and never between.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SpanStream<S, O> {
        // `None` once it was dropped, inside the span.
        #[pin]
        pub(super) stream: Option<S>,
        pub(super) span: ActiveSpan,
        pub(super) outcome: O,
    }

    impl<S, O> PinnedDrop for SpanStream<S, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.span.cancel(&mut || this.stream.set(None));
        }
    }
}

impl<S, O> Stream for SpanStream<S, O>
where
    S: Stream,
    O: Fn(&S::Item) -> Outcome,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(mut stream) = this.stream.as_pin_mut() else {
            unreachable!("it is only dropped with the stream round it");
        };
        let mut polled = Poll::Pending;
        this.span.poll(&mut || {
            polled = stream.as_mut().poll_next(task);
            polled.is_pending()
        });
        match &polled {
            Poll::Ready(Some(item)) if this.span.records() => {
                this.span.record_item((this.outcome)(item));
            }
            Poll::Ready(None) => this.span.finish(Outcome::default()),
            Poll::Ready(Some(_)) | Poll::Pending => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), S::size_hint)
    }
}

impl<S, O> FusedStream for SpanStream<S, O>
where
    S: FusedStream,
    O: Fn(&S::Item) -> Outcome,
{
    fn is_terminated(&self) -> bool {
        self.stream.as_ref().is_none_or(S::is_terminated)
    }
}

impl ActiveSpan {
    /// The stream in this span, which is current during each poll, and ends when the stream has
    /// ended or is dropped. `outcome` looks at each item.
    pub fn follow_stream<S, O>(self, stream: S, outcome: O) -> SpanStream<S, O>
    where
        S: Stream,
        O: Fn(&S::Item) -> Outcome,
    {
        SpanStream { stream: Some(stream), span: self, outcome }
    }
}
