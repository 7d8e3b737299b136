//! A span that is open.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, Status};

use super::clock::Anchor;
use super::exceptions::Exceptions;
use super::kept::{EndedSpan, LocalTrace};
use super::local::{SlotRef, SpanRoute};
use super::message::{EXCEPTION, SpanMessage, pairs};
use crate::encoding::{Key, Keys, Limits, ValueRef, hash};

/// How many failures of the spans under it a span remembers.
const MOST_FAILURES: usize = 8;

/// Room for one open span.
#[derive(Default)]
pub(super) struct Slot {
    /// How many spans have been in it, with the one that is.
    pub(super) generation: u32,
    pub(super) is_open: bool,
    pub(super) span: OpenSpan,
}

impl Slot {
    /// A slot whose generations come after this one.
    pub(super) fn after(generation: u32) -> Self {
        Self { generation, ..Self::default() }
    }

    /// Whether the span of this generation is in it.
    #[inline]
    pub(super) fn holds(&self, generation: u32) -> bool {
        self.is_open && self.generation == generation
    }

    /// Whether another span may be in it, with a generation of its own.
    pub(super) fn is_reusable(&self) -> bool {
        self.generation < u32::MAX
    }

    pub(super) fn clear(&mut self) {
        self.is_open = false;
        self.span.message.recycle();
        self.span.trace = None;
        if let SpanRoute::Direct(_) = self.span.route {
            self.span.route = SpanRoute::Pipeline(0);
        }
    }

    /// Whether a span is in it that goes to the pipeline with this number.
    pub(super) fn is_of(&self, pipeline: usize) -> bool {
        self.is_open && matches!(self.span.route, SpanRoute::Pipeline(number) if number == pipeline)
    }
}

/// A span that is open.
pub(crate) struct OpenSpan {
    message: SpanMessage,
    limits: Limits,
    pub(super) anchor: Anchor,
    pub(super) route: SpanRoute,
    /// The span that it was started in, if that is of this process: it is told of failures.
    pub(super) outer: Option<SlotRef>,
    /// Whether other instrumentation has started it, which tells nobody of failures.
    pub(super) is_foreign: bool,
    /// The local trace, if its spans are held until it is known whether they are exported.
    pub(super) trace: Option<Arc<LocalTrace>>,
    /// Whether the span is the first of its local trace.
    pub(super) is_first: bool,
    /// When it started, in nanoseconds since 1970.
    started: u64,
    has_own_error_type: bool,
    failures: Failures,
    pub(super) exceptions: Exceptions,
}

impl OpenSpan {
    /// Starts another span, whose message begins with these bytes. Returns memory that was used before.
    #[inline]
    pub(super) fn start(
        &mut self,
        started: u64,
        message: Vec<u8>,
        keys: Keys,
        limits: &Limits,
        anchor: Anchor,
    ) -> Vec<u8> {
        let before = self.message.start(message, keys);
        self.has_own_error_type = self.message.has_attribute(&ERROR_TYPE);
        self.failures.clear();
        self.limits = *limits;
        self.anchor = anchor;
        self.started = started;
        before
    }

    pub(super) fn set_attribute(&mut self, key: &str, value: ValueRef<'_>) {
        self.has_own_error_type |= key == ERROR_TYPE.text;
        self.message.set_attribute(key, value, &self.limits);
    }

    /// Sets the error type, unless the program has set one.
    pub(crate) fn set_error_type(&mut self, error_type: &str) {
        if !self.has_own_error_type {
            self.message.set_prepared(&ERROR_TYPE, ValueRef::Text(error_type), &self.limits);
        }
    }

    /// Adds an event of this moment, or of this time in nanoseconds since 1970.
    pub(super) fn add_event(&mut self, name: &str, at: Option<u64>, attributes: &[KeyValue]) {
        let nanos = at.unwrap_or_else(|| self.anchor.now());
        self.message.add_event(name, nanos, pairs(attributes), &self.limits);
    }

    /// Records a failure. Returns the exception for the log, if it goes there.
    fn fail(&mut self, failure: &RecordedFailure<'_>) -> Option<SpanContext> {
        let RecordedFailure { error_type, description, exception, .. } = *failure;
        let mut logged = None;
        if failure.is_exception()
            && (self.failures.count == 0
                || !failure.messages().any(|message| self.has_seen(message)))
        {
            if self.exceptions.events {
                let now = self.anchor.now();
                self.message.add_event(EXCEPTION, now, exception.iter().copied(), &self.limits);
            }
            logged = self.exceptions.log.map(|_| self.message.context());
        }
        if let Some(error_type) = error_type {
            self.set_error_type(error_type);
        }
        self.message.set_error(description);
        logged
    }

    pub(super) fn add_link(&mut self, to: &SpanContext, attributes: &[KeyValue]) {
        self.message.add_link(to, attributes, &self.limits);
    }

    pub(super) fn set_status(&mut self, status: &Status) {
        self.message.set_status(status);
    }

    pub(crate) fn rename(&mut self, name: &str) {
        self.message.rename(name);
    }

    /// This moment, in nanoseconds since 1970, by the clock of the span's trace.
    pub(crate) fn now(&self) -> u64 {
        self.anchor.now()
    }

    /// Makes the record in the slot whole, as far as it is known: whoever has a copy of the bytes can read it.
    #[inline]
    pub(super) fn seal(&mut self) {
        self.message.seal();
    }

    /// Completes the record. Returns when the span ended.
    #[inline]
    pub(super) fn finish(&mut self, at: Option<u64>) -> u64 {
        // A start that was given may be by the wall clock, which runs a little before ours.
        let end = at.unwrap_or_else(|| self.anchor.now().max(self.started));
        self.message.finish(end);
        end
    }

    /// The record, once it is complete.
    #[inline]
    pub(super) fn record(&self) -> &[u8] {
        self.message.record()
    }

    /// What names the span.
    pub(super) fn context(&self) -> SpanContext {
        self.message.context()
    }

    /// What decides whether the local trace is kept.
    pub(super) fn ended(&self, end: u64) -> EndedSpan {
        EndedSpan {
            has_failed: self.message.is_error(),
            nanos: end.saturating_sub(self.started),
            is_first: self.is_first,
        }
    }

    /// Whether a span under it has failed with this message.
    fn has_seen(&self, message: &str) -> bool {
        self.failures.contains(hash(message))
    }
}

impl Default for OpenSpan {
    fn default() -> Self {
        Self {
            message: SpanMessage::default(),
            limits: Limits::NONE,
            anchor: Anchor::default(),
            route: SpanRoute::Pipeline(0),
            outer: None,
            is_foreign: false,
            trace: None,
            is_first: false,
            started: 0,
            has_own_error_type: false,
            failures: Failures::default(),
            exceptions: Exceptions::EVENTS,
        }
    }
}

/// The failures of the spans under a span, by the hashes of their messages: the latest ones.
#[derive(Default)]
struct Failures {
    hashes: [u64; MOST_FAILURES],
    count: usize,
}

impl Failures {
    #[inline]
    fn clear(&mut self) {
        self.count = 0;
    }

    fn insert(&mut self, hash: u64) {
        if !self.contains(hash) {
            self.hashes[self.count % MOST_FAILURES] = hash;
            self.count += 1;
        }
    }

    fn contains(&self, hash: u64) -> bool {
        self.hashes[..self.count.min(MOST_FAILURES)].contains(&hash)
    }
}

/// A failure, as it is recorded.
#[derive(Clone, Copy)]
pub(crate) struct RecordedFailure<'a> {
    /// `None` if the program does not want it.
    pub(crate) error_type: Option<&'a str>,
    /// What the status says.
    pub(crate) description: &'a str,
    /// What the error is recognised by.
    pub(crate) message: &'a str,
    /// The messages of its causes.
    pub(crate) causes: &'a [String],
    /// The attributes of the exception.
    pub(crate) exception: &'a [(&'static str, ValueRef<'a>)],
}

impl SlotRef {
    /// As `fail`, without showing it to the program's function that redacts.
    pub(super) fn record_failure(self, failure: &RecordedFailure<'_>) {
        let failed = self.with(|span| (span.fail(failure), span.exceptions, span.outer));
        let Some((logged, exceptions, outer)) = failed else { return };
        if let (Some(context), Some(log)) = (logged, exceptions.log) {
            log(&context, failure.key_values());
        }
        if let Some(outer) = outer
            && failure.is_exception()
        {
            outer.remember_failure(failure.message);
        }
    }

    /// Remembers that the span has recorded an error with this message itself.
    pub(crate) fn remember_own_failure(self, message: &str) {
        self.with(|span| span.failures.insert(hash(message)));
    }

    /// Remembers that an error with this message has been recorded. A span of other instrumentation passes that on to
    /// its own enclosing span.
    fn remember_failure(self, message: &str) {
        /// Spans of other instrumentation between two of ours are few.
        const MOST_BETWEEN: usize = 4;

        let hash = hash(message);
        let mut outer = Some(self);
        for _ in 0..MOST_BETWEEN {
            let Some(slot) = outer else { return };
            outer = slot
                .with(|span| {
                    span.failures.insert(hash);
                    span.outer.filter(|_| span.is_foreign)
                })
                .flatten();
        }
    }
}

impl RecordedFailure<'_> {
    /// Whether there is an exception: a failure that is a response's status is none.
    pub(crate) fn is_exception(&self) -> bool {
        !self.exception.is_empty()
    }

    /// Its message and those of its causes.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.message).chain(self.causes.iter().map(String::as_str))
    }

    /// The attributes of the exception.
    pub(crate) fn key_values(&self) -> Vec<KeyValue> {
        let key_value = |(key, value): &(&'static str, ValueRef<'_>)| {
            Some(KeyValue::new(*key, value.to_value()?))
        };
        self.exception.iter().filter_map(key_value).collect()
    }
}

static ERROR_TYPE: Key<'static> = Key::new("error.type");
