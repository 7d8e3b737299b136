//! What a function returns, when only its type can tell: a value, or more work in a box.

use std::marker::PhantomData;
use std::pin::Pin;

use futures_core::Stream;

use super::{Span, SpanFuture, SpanStream};
use crate::outcome::Outcome;

/// The type of a returned value, to be asked what the value is.
#[derive(Debug)]
pub struct Shape<T>(PhantomData<fn() -> T>);

impl<T> Shape<T> {
    /// The shape of this value.
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// A look at what a span is for: a value, what a future resolves to, an item of a stream.
type Look<T> = for<'a> fn(&'a T) -> Outcome<'a>;

/// A boxed future or stream.
pub trait Boxed: Sized {
    /// What the future resolves to, or the stream's items.
    type Output;

    /// The same in a span.
    fn in_span(self, span: Span, look: Look<Self::Output>) -> Self;
}

macro_rules! boxed {
    ($($trait:ident $item:ident $follow:ident: $($auto:ident)*;)*) => {$(
        impl<'a, T: 'a> Boxed for Pin<Box<dyn $trait<$item = T> $(+ $auto)* + 'a>> {
            type Output = T;

            fn in_span(self, span: Span, look: Look<T>) -> Self {
                if span.is_off() { self } else { Box::pin(span.$follow(self, look)) }
            }
        }
    )*};
}

boxed! {
    Future Output follow: ;
    Future Output follow: Send;
    Future Output follow: Send Sync;
    Stream Item follow_stream: ;
    Stream Item follow_stream: Send;
    Stream Item follow_stream: Send Sync;
}

/// The value is a boxed future or stream, and returned as one.
pub trait IsBoxed<T: Boxed> {
    /// The value in this span.
    fn end(&self, span: &mut Span, value: T, look: Look<T::Output>) -> T;
}

impl<T: Boxed> IsBoxed<T> for &Shape<T> {
    fn end(&self, span: &mut Span, value: T, look: Look<T::Output>) -> T {
        value.in_span(span.take(), look)
    }
}

/// The value is just that.
pub trait IsPlain<T> {
    /// Ends the span by the value.
    fn end(&self, span: &mut Span, value: T, look: impl for<'a> FnOnce(&'a T) -> Outcome<'a>) -> T;

    /// As `end`, where the type is opaque.
    fn follow(
        &self,
        span: &mut Span,
        value: T,
        look: impl for<'a> FnOnce(&'a T) -> Outcome<'a>,
    ) -> T;
}

impl<T> IsPlain<T> for Shape<T> {
    fn end(&self, span: &mut Span, value: T, look: impl for<'a> FnOnce(&'a T) -> Outcome<'a>) -> T {
        if span.asks() {
            span.finish(look(&value));
        }
        value
    }

    fn follow(
        &self,
        span: &mut Span,
        value: T,
        look: impl for<'a> FnOnce(&'a T) -> Outcome<'a>,
    ) -> T {
        self.end(span, value, look)
    }
}

/// The value is a future, behind an opaque type.
pub trait IsFuture<F: Future> {
    /// The future in this span.
    fn follow<O>(&self, span: &mut Span, value: F, look: O) -> SpanFuture<F, O>
    where
        O: for<'a> FnOnce(&'a F::Output) -> Outcome<'a>;
}

impl<F: Future> IsFuture<F> for &&Shape<F> {
    fn follow<O>(&self, span: &mut Span, value: F, look: O) -> SpanFuture<F, O>
    where
        O: for<'a> FnOnce(&'a F::Output) -> Outcome<'a>,
    {
        span.take().follow(value, look)
    }
}

/// The value is a stream, behind an opaque type.
pub trait IsStream<S: Stream> {
    /// The stream in this span.
    fn follow<O>(&self, span: &mut Span, value: S, look: O) -> SpanStream<S, O>
    where
        O: for<'a> Fn(&'a S::Item) -> Outcome<'a>;
}

impl<S: Stream> IsStream<S> for &Shape<S> {
    fn follow<O>(&self, span: &mut Span, value: S, look: O) -> SpanStream<S, O>
    where
        O: for<'a> Fn(&'a S::Item) -> Outcome<'a>,
    {
        span.take().follow_stream(value, look)
    }
}
