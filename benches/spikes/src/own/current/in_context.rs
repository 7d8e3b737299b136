//! A span that a context holds: whoever has the context reads it, adds to it, and can end it.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::{Current, now};
use crate::own::clock::{Clock, System, system_time};
use crate::own::fields::Fields;
use crate::own::span::{Data, End};

#[derive(Debug)]
pub(crate) struct InContext;

impl<C: Clock, F: Fields, E: End> Current<C, F, E> for InContext {
    type Held = Context;

    #[inline]
    fn hold(data: Data<C, F>) -> Context {
        Context::current_with_span(OwnSpan::<C, F, E>::new(data))
    }

    #[inline]
    fn within<T>(held: &Context, body: impl FnOnce() -> T) -> T {
        let _attached = held.clone().attach();
        body()
    }

    /// A `SpanRef` reads the system's clock where it is not told when.
    #[inline]
    fn end(held: Context) {
        held.span().end_with_timestamp(system_time(now::<C>()));
    }

    #[inline]
    fn run<T>(held: Context, body: impl FnOnce() -> T) -> T {
        let value = <Self as Current<C, F, E>>::within(&held, body);
        <Self as Current<C, F, E>>::end(held);
        value
    }
}

/// The same, ended when the last of its contexts is dropped.
#[derive(Debug)]
pub(crate) struct UntilDropped;

impl<C: Clock, F: Fields, E: End> Current<C, F, E> for UntilDropped {
    type Held = Context;

    #[inline]
    fn hold(data: Data<C, F>) -> Context {
        <InContext as Current<C, F, E>>::hold(data)
    }

    #[inline]
    fn within<T>(held: &Context, body: impl FnOnce() -> T) -> T {
        <InContext as Current<C, F, E>>::within(held, body)
    }

    #[inline]
    fn end(held: Context) {
        drop(held);
    }

    #[inline]
    fn run<T>(held: Context, body: impl FnOnce() -> T) -> T {
        let _attached = held.attach();
        body()
    }
}

#[derive(Debug)]
pub(crate) struct OwnSpan<C: Clock, F: Fields, E: End> {
    context: SpanContext,
    data: Option<Data<C, F>>,
    end: PhantomData<E>,
}

impl<C: Clock, F: Fields, E: End> OwnSpan<C, F, E> {
    #[inline]
    pub(crate) fn new(data: Data<C, F>) -> Self {
        Self { context: data.span_context(), data: Some(data), end: PhantomData }
    }
}

impl<C: Clock, F: Fields, E: End> Span for OwnSpan<C, F, E> {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(data) = &mut self.data {
            data.fields.event(&name.into(), System::nanos(time), &attributes);
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.data.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(data) = &mut self.data {
            data.fields.pair(&attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(data) = &mut self.data {
            data.set_status(status);
        }
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        if let Some(data) = &mut self.data {
            data.name = name.into();
        }
    }

    fn add_link(&mut self, span: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(data) = &mut self.data {
            data.fields.link(&span, &attributes);
        }
    }

    fn end_with_timestamp(&mut self, time: SystemTime) {
        if let Some(data) = self.data.take() {
            E::end(data, System::nanos(time));
        }
    }
}

impl<C: Clock, F: Fields, E: End> Drop for OwnSpan<C, F, E> {
    fn drop(&mut self) {
        if let Some(data) = self.data.take() {
            E::end(data, now::<C>());
        }
    }
}
