//! A span in a slot of its thread's, where a shutdown finds it: the context has a handle, or only the
//! span's ids.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::{Current, now};
use crate::own::clock::{Clock, Counter, System};
use crate::own::fields::{Encoded, Fields};
use crate::own::local::{self, Place};
use crate::own::span::{Data, Written};

#[derive(Debug)]
pub(crate) struct Slot;

impl Current<Counter, Encoded, Written> for Slot {
    type Held = (Context, Place);

    #[inline]
    fn hold(data: Data<Counter, Encoded>) -> Self::Held {
        let context = data.span_context();
        let place = local::here().open(data);
        (Context::current_with_span(Handle { context, place }), place)
    }

    #[inline]
    fn within<T>((context, _): &Self::Held, body: impl FnOnce() -> T) -> T {
        let _attached = context.clone().attach();
        body()
    }

    #[inline]
    fn end((_, place): Self::Held) {
        place.end(now::<Counter>());
    }

    #[inline]
    fn run<T>((context, place): Self::Held, body: impl FnOnce() -> T) -> T {
        let attached = context.attach();
        let value = body();
        drop(attached);
        place.end(now::<Counter>());
        value
    }
}

#[derive(Debug)]
pub(crate) struct NamedSlot;

impl Current<Counter, Encoded, Written> for NamedSlot {
    type Held = (Context, Place);

    #[inline]
    fn hold(data: Data<Counter, Encoded>) -> Self::Held {
        let span = data.span_context();
        let place = local::here().open(data);
        (Context::map_current(|context| context.with_remote_span_context(span)), place)
    }

    #[inline]
    fn within<T>(held: &Self::Held, body: impl FnOnce() -> T) -> T {
        Slot::within(held, body)
    }

    #[inline]
    fn end(held: Self::Held) {
        Slot::end(held);
    }

    #[inline]
    fn run<T>(held: Self::Held, body: impl FnOnce() -> T) -> T {
        Slot::run(held, body)
    }
}

/// The span as others have it, who may hold it for longer than it is open.
#[derive(Debug)]
struct Handle {
    context: SpanContext,
    place: Place,
}

impl Span for Handle {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        let name = name.into();
        self.place.with(|data| data.fields.event(&name, System::nanos(time), &attributes));
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.place.with(|_| ()).is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.place.with(|data| data.fields.pair(&attribute));
    }

    fn set_status(&mut self, status: Status) {
        self.place.with(|data| data.set_status(status));
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        self.place.with(|data| data.name = name.into());
    }

    fn add_link(&mut self, span: SpanContext, attributes: Vec<KeyValue>) {
        self.place.with(|data| data.fields.link(&span, &attributes));
    }

    fn end_with_timestamp(&mut self, time: SystemTime) {
        self.place.end(System::nanos(time));
    }
}
