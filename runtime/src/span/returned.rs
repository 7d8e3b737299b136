//! What a function returns, when only its type can tell: a value, or more work in a box.

use std::marker::PhantomData;
use std::pin::Pin;

use futures_core::Stream;

use super::{ActiveSpan, SpanFuture, SpanStream};
use crate::outcome::Outcome;

/// The type of a returned value, to be asked what the value is.
#[derive(Debug)]
pub struct Returned<T>(PhantomData<fn() -> T>);

impl<T> Returned<T> {
    /// The shape of this value.
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// A boxed future or stream.
pub trait Boxed: Sized {
    /// What the future resolves to, or the stream's items.
    type Output;
}

/// A boxed future or stream that a span can follow; the closure gives the outcome of its output.
pub trait InSpan<O>: Boxed {
    /// The same in a span.
    fn in_span(self, span: ActiveSpan, outcome: O) -> Self;
}

macro_rules! boxed {
    ($($trait:ident $item:ident $follow:ident: $($auto:ident)*;)*) => {$(
        impl<'a, T> Boxed for Pin<Box<dyn $trait<$item = T> $(+ $auto)* + 'a>> {
            type Output = T;
        }

        impl<'a, T: 'a, O> InSpan<O> for Pin<Box<dyn $trait<$item = T> $(+ $auto)* + 'a>>
        where
            O: Fn(&T) -> Outcome $(+ $auto)* + 'a,
        {
            fn in_span(self, span: ActiveSpan, outcome: O) -> Self {
                if span.is_disabled() { self } else { Box::pin(span.$follow(self, outcome)) }
            }
        }
    )*};
}

boxed! {
    Future Output follow: ;
    Future Output follow: Unpin;
    Future Output follow: Send;
    Future Output follow: Send Unpin;
    Future Output follow: Send Sync;
    Future Output follow: Send Sync Unpin;
    Stream Item follow_stream: ;
    Stream Item follow_stream: Unpin;
    Stream Item follow_stream: Send;
    Stream Item follow_stream: Send Unpin;
    Stream Item follow_stream: Send Sync;
    Stream Item follow_stream: Send Sync Unpin;
}

/// The value is a boxed future or stream, and returned as one.
pub trait ReturnsBoxed<T: Boxed> {
    /// The value in this span.
    fn spandrel_end<O>(&self, span: &mut ActiveSpan, value: T, outcome: O) -> T
    where
        T: InSpan<O>,
        O: Fn(&T::Output) -> Outcome;
}

impl<T: Boxed> ReturnsBoxed<T> for &Returned<T> {
    fn spandrel_end<O>(&self, span: &mut ActiveSpan, value: T, outcome: O) -> T
    where
        T: InSpan<O>,
        O: Fn(&T::Output) -> Outcome,
    {
        value.in_span(span.take_for_returned(), outcome)
    }
}

/// The value is just that.
pub trait ReturnsValue<T> {
    /// Ends the span by the value.
    fn spandrel_end(
        &self,
        span: &mut ActiveSpan,
        value: T,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> T;

    /// As above, where the type is opaque.
    fn spandrel_follow(
        &self,
        span: &mut ActiveSpan,
        value: T,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> T;
}

impl<T> ReturnsValue<T> for Returned<T> {
    #[inline]
    fn spandrel_end(
        &self,
        span: &mut ActiveSpan,
        value: T,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> T {
        span.end_with(value, outcome)
    }

    #[inline]
    fn spandrel_follow(
        &self,
        span: &mut ActiveSpan,
        value: T,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> T {
        self.spandrel_end(span, value, outcome)
    }
}

/// The value is a future, behind an opaque type.
pub trait ReturnsFuture<F: Future> {
    /// The future in this span.
    fn spandrel_follow<O>(&self, span: &mut ActiveSpan, value: F, outcome: O) -> SpanFuture<F, O>
    where
        O: FnOnce(&F::Output) -> Outcome;
}

impl<F: Future> ReturnsFuture<F> for &&Returned<F> {
    fn spandrel_follow<O>(&self, span: &mut ActiveSpan, value: F, outcome: O) -> SpanFuture<F, O>
    where
        O: FnOnce(&F::Output) -> Outcome,
    {
        span.take_for_returned().follow(value, outcome)
    }
}

/// The value is a stream, behind an opaque type.
pub trait ReturnsStream<S: Stream> {
    /// The stream in this span.
    fn spandrel_follow<O>(&self, span: &mut ActiveSpan, value: S, outcome: O) -> SpanStream<S, O>
    where
        O: Fn(&S::Item) -> Outcome;
}

impl<S: Stream> ReturnsStream<S> for &Returned<S> {
    fn spandrel_follow<O>(&self, span: &mut ActiveSpan, value: S, outcome: O) -> SpanStream<S, O>
    where
        O: Fn(&S::Item) -> Outcome,
    {
        span.take_for_returned().follow_stream(value, outcome)
    }
}
