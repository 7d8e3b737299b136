//! Wraps the SDK's span and buffers attributes and events until the span ends. The SDK counts an attribute each
//! time that it is set, drops the last events (an exception, for example), and does not set the random flag.

use std::borrow::Cow;
use std::cell::Cell;
use std::time::SystemTime;

use opentelemetry::trace::{Event, Span, SpanContext, Status, TraceContextExt};
use opentelemetry::{Context, Key, KeyValue};

use crate::recorder::EXCEPTION;
use crate::sdk::{Capacity, SPARE, flagged};

/// What is known of a span that has just started.
#[derive(Clone, Copy)]
pub(super) struct SdkSpanStart {
    /// `None` where the provider is the program's: it knows its own limits.
    pub(super) capacity: Option<Capacity>,
    /// Whether the ids of traces that start here are random.
    pub(super) random_ids: bool,
    /// Whether the span started with an `error.type`.
    pub(super) has_error_type: bool,
}

const ERROR_TYPE: &str = "error.type";

thread_local!(static SETTING_DEFAULT: Cell<bool> = const { Cell::new(false) });

/// Whether one of these attributes is an `error.type`.
pub(super) fn contain_error_type(attributes: &[KeyValue]) -> bool {
    attributes.iter().any(|attribute| attribute.key.as_str() == ERROR_TYPE)
}

/// Sets the `error.type` of the span of this context, unless the program has set one.
pub(super) fn set_error_type(context: &Context, error_type: &str) {
    SETTING_DEFAULT.set(true);
    context.span().set_attribute(KeyValue::new(ERROR_TYPE, error_type.to_owned()));
    SETTING_DEFAULT.set(false);
}

/// The context with a span that started in it.
pub(super) fn context_with<S>(parent: &Context, span: S, started: SdkSpanStart) -> Context
where
    S: Span + Send + Sync + 'static,
{
    let flagged = flagged(parent, span.span_context(), started.random_ids);
    if !span.is_recording() {
        // A span that does not record needs only its span context.
        let context = flagged.unwrap_or_else(|| span.span_context().clone());
        return parent.with_remote_span_context(context);
    }
    let SdkSpanStart { capacity, has_error_type, .. } = started;
    parent.with_span(SdkSpan { span, flagged, capacity, has_error_type, buffer: Buffer::default() })
}

#[derive(Debug)]
struct SdkSpan<S: Span> {
    span: S,
    /// Its context, where it has flags that the SDK does not know.
    flagged: Option<SpanContext>,
    capacity: Option<Capacity>,
    has_error_type: bool,
    buffer: Buffer,
}

/// What the SDK's span gets when it ends.
#[derive(Debug, Default)]
struct Buffer {
    attributes: Vec<KeyValue>,
    /// How often there was no room for an attribute.
    dropped_attributes: u32,
    events: Vec<Event>,
    /// Events that there was no room for.
    dropped_events: u32,
}

impl Buffer {
    /// Keeps the last value of each key.
    fn set(&mut self, attribute: KeyValue, capacity: usize) {
        match self.attributes.iter().position(|earlier| earlier.key == attribute.key) {
            Some(place) => self.attributes[place] = attribute,
            None if self.attributes.len() < capacity.saturating_add(SPARE as usize) => {
                self.attributes.push(attribute);
            }
            None => self.dropped_attributes = self.dropped_attributes.saturating_add(1),
        }
    }

    /// Keeps the first events, and all exceptions that there is any room for.
    fn add(&mut self, event: Event, capacity: usize) {
        if self.events.len() >= capacity {
            self.dropped_events = self.dropped_events.saturating_add(1);
            let ordinary = |event: &Event| event.name != EXCEPTION;
            match self.events.iter().rposition(ordinary) {
                Some(last) if !ordinary(&event) => drop(self.events.remove(last)),
                _ => return,
            }
        }
        self.events.push(event);
    }
}

impl<S: Span> Span for SdkSpan<S> {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        match self.capacity {
            Some(capacity) if self.span.is_recording() => {
                self.buffer.add(Event::new(name, time, attributes, 0), capacity.events);
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
            if SETTING_DEFAULT.get() && self.has_error_type {
                return;
            }
            self.has_error_type |= !SETTING_DEFAULT.get();
        }
        match self.capacity {
            Some(capacity) if self.span.is_recording() => {
                self.buffer.set(attribute, capacity.attributes);
            }
            _ => self.span.set_attribute(attribute),
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

    /// An event that is recorded after the span's end (an error that leaves a block) gets the time of the end.
    fn end_with_timestamp(&mut self, end: SystemTime) {
        let Buffer { attributes, dropped_attributes, events, dropped_events } =
            std::mem::take(&mut self.buffer);
        for attribute in attributes {
            self.span.set_attribute(attribute);
        }
        // The SDK has no room left, and counts these.
        for _ in 0..dropped_attributes {
            self.span.set_attribute(KeyValue::new("", true));
        }
        for event in events {
            let time = event.timestamp.min(end);
            self.span.add_event_with_timestamp(event.name, time, event.attributes);
        }
        // The SDK counts what it has no room for.
        for _ in 0..dropped_events {
            self.span.add_event_with_timestamp("", end, Vec::new());
        }
        self.span.end_with_timestamp(end);
    }
}

impl<S: Span> Drop for SdkSpan<S> {
    fn drop(&mut self) {
        if self.span.is_recording() {
            self.end();
        }
    }
}
