//! A span of ours as it stands in OpenTelemetry's context: the SDK's span, and before it what the SDK's cannot
//! do. The SDK counts an attribute each time that it is set, drops what comes last, an exception for
//! instance, and does not tell random trace ids.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::trace::{Event, Span, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, Key, KeyValue};

use super::random;

/// How much a span may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) attributes: usize,
    pub(crate) events: usize,
}

/// What is known of a span that has just started.
#[derive(Clone, Copy)]
pub(super) struct Started {
    /// `None` where the provider is the program's: it knows its own limits.
    pub(super) room: Option<Room>,
    /// Whether the ids of traces that start here are random.
    pub(super) random_ids: bool,
    /// Whether the span started with an `error.type`.
    pub(super) has_error_type: bool,
}

const ERROR_TYPE: &str = "error.type";
const EXCEPTION: &str = "exception";

thread_local!(static IS_DEFAULT: Cell<bool> = const { Cell::new(false) });

/// Whether one of these attributes is an `error.type`.
pub(super) fn name_an_error_type(attributes: &[KeyValue]) -> bool {
    attributes.iter().any(|attribute| attribute.key.as_str() == ERROR_TYPE)
}

/// Sets the `error.type` of the span of this context, unless the program has set one.
pub(super) fn set_error_type(context: &Context, error_type: &'static str) {
    IS_DEFAULT.set(true);
    context.span().set_attribute(KeyValue::new(ERROR_TYPE, error_type));
    IS_DEFAULT.set(false);
}

/// The context with a span that started in it.
pub(super) fn context_with<S>(parent: &Context, span: S, started: Started) -> Context
where
    S: Span + Send + Sync + 'static,
{
    let flagged = random::flagged(parent, span.span_context(), started.random_ids);
    if !span.is_recording() {
        // Nothing but its own context is of any use.
        let context = flagged.unwrap_or_else(|| span.span_context().clone());
        return parent.with_remote_span_context(context);
    }
    let Started { room, has_error_type, .. } = started;
    parent.with_span(Recorded { span, flagged, room, has_error_type, held: Held::default() })
}

#[derive(Debug)]
struct Recorded<S: Span> {
    span: S,
    /// Its context, where it has flags that the SDK does not know.
    flagged: Option<SpanContext>,
    room: Option<Room>,
    has_error_type: bool,
    held: Held,
}

/// What the SDK's span gets when it ends.
#[derive(Debug, Default)]
struct Held {
    attributes: Vec<KeyValue>,
    events: Vec<Event>,
    /// Events that there was no room for.
    dropped: u32,
}

impl Held {
    /// Keeps the last value of each key; gives back what there is no room for.
    fn set(&mut self, attribute: KeyValue, room: usize) -> Option<KeyValue> {
        match self.attributes.iter().position(|earlier| earlier.key == attribute.key) {
            Some(place) => self.attributes[place] = attribute,
            None if self.attributes.len() < room => self.attributes.push(attribute),
            None => return Some(attribute),
        }
        None
    }

    /// Keeps the first events, and all exceptions that there is any room for.
    fn add(&mut self, event: Event, room: usize) {
        if self.events.len() >= room {
            self.dropped = self.dropped.saturating_add(1);
            let ordinary = |event: &Event| event.name != EXCEPTION;
            match self.events.iter().rposition(ordinary) {
                Some(last) if !ordinary(&event) => drop(self.events.remove(last)),
                _ => return,
            }
        }
        self.events.push(event);
    }
}

impl<S: Span> Span for Recorded<S> {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        match self.room {
            Some(room) if self.span.is_recording() => {
                self.held.add(Event::new(name, time, attributes, 0), room.events);
            }
            _ => self.span.add_event_with_timestamp(name, time, attributes),
        }
    }

    fn span_context(&self) -> &SpanContext {
        self.flagged.as_ref().unwrap_or_else(|| self.span.span_context())
    }

    fn is_recording(&self) -> bool {
        self.span.is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if attribute.key == Key::from_static_str(ERROR_TYPE) {
            if IS_DEFAULT.get() && self.has_error_type {
                return;
            }
            self.has_error_type |= !IS_DEFAULT.get();
        }
        let attribute = match self.room {
            Some(room) if self.span.is_recording() => self.held.set(attribute, room.attributes),
            _ => Some(attribute),
        };
        if let Some(attribute) = attribute {
            self.span.set_attribute(attribute);
        }
    }

    fn set_status(&mut self, status: Status) {
        self.span.set_status(status);
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        self.span.update_name(name);
    }

    fn add_link(&mut self, span: SpanContext, attributes: Vec<KeyValue>) {
        self.span.add_link(span, attributes);
    }

    /// Events lie inside the span: one that is told of after its end, as an error is that leaves a block,
    /// happened at the end.
    fn end_with_timestamp(&mut self, end: SystemTime) {
        let Held { attributes, events, dropped } = std::mem::take(&mut self.held);
        for attribute in attributes {
            self.span.set_attribute(attribute);
        }
        for event in events {
            let time = event.timestamp.min(end);
            self.span.add_event_with_timestamp(event.name, time, event.attributes);
        }
        // The SDK counts what it has no room for.
        for _ in 0..dropped {
            self.span.add_event_with_timestamp("", end, Vec::new());
        }
        self.span.end_with_timestamp(end);
    }
}

impl<S: Span> Drop for Recorded<S> {
    fn drop(&mut self) {
        if self.span.is_recording() {
            self.end();
        }
    }
}
