//! An open span as OpenTelemetry's API sees it.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Span, SpanContext, SpanRef, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::clock::nanos;
use super::kept::LocalTrace;
use super::known_span::KnownSpan;
use super::local::SlotRef;
use super::thread::Thread;
use crate::attribute::redact;

impl KnownSpan {
    /// The span that is current in this context, if this recorder has made it.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        let span = context.span();
        let id = span.span_context();
        if id.is_remote() {
            return None;
        }
        let remembered = Thread::with(|thread| thread.remembered(id.span_id())).flatten();
        remembered.or_else(|| Self::asked(&span))
    }

    /// The same, for a span that the thread does not remember.
    pub(super) fn asked(span: &SpanRef<'_>) -> Option<Self> {
        let id = span.span_context();
        if id.is_remote() || !id.is_valid() || redact::is_redacting() {
            return None;
        }
        Self::answer(span).0
    }

    /// The local trace of the span that is current in a context, if it is held.
    pub(super) fn trace(span: &SpanRef<'_>) -> Option<Arc<LocalTrace>> {
        Self::answer(span).1
    }

    /// `Context` gives no access to our type. Therefore `is_recording` leaves what is known of the span in `ANSWER`.
    fn answer(span: &SpanRef<'_>) -> HandleAnswer {
        let _ = ANSWER.try_with(Cell::take);
        span.is_recording();
        ANSWER.try_with(Cell::take).unwrap_or_default()
    }
}

/// What a handle says of its span.
type HandleAnswer = (Option<KnownSpan>, Option<Arc<LocalTrace>>);

thread_local!(static ANSWER: Cell<HandleAnswer> = const { Cell::new((None, None)) });

/// A span in a context. All that it is told goes to the slot of the span, as long as that is open.
#[derive(Debug)]
pub(crate) struct Handle {
    context: SpanContext,
    /// `None` where the span does not record.
    known: Option<KnownSpan>,
    /// The local trace of the span, if that is held: spans that start when this one has ended belong to it too.
    trace: Option<Arc<LocalTrace>>,
    /// Whether the span ends with its handle. The spans of our own guards do not.
    ends_on_drop: bool,
}

impl Handle {
    pub(crate) fn new(
        context: SpanContext,
        known: Option<KnownSpan>,
        trace: Option<Arc<LocalTrace>>,
        ends_on_drop: bool,
    ) -> Self {
        Self { context, known, trace, ends_on_drop }
    }

    /// Another handle of a span that is open.
    pub(crate) fn of(slot: SlotRef) -> Option<Self> {
        slot.with(|span| {
            let context = span.context();
            let known = KnownSpan { id: context.span_id(), slot, anchor: span.anchor };
            Self::new(context, Some(known), span.trace.clone(), false)
        })
    }

    /// A span that does not record, in the place of the one that is current in this context.
    pub(crate) fn unrecorded(parent: &Context) -> Self {
        Self::new(parent.span().span_context().clone(), None, None, false)
    }

    /// Does this with the slot of the span, if it has one.
    #[inline]
    pub(super) fn change(&self, change: impl FnOnce(SlotRef)) {
        if let Some(known) = self.known {
            change(known.slot);
        }
    }
}

impl Span for Handle {
    fn add_event_with_timestamp<T>(&mut self, name: T, time: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        let at = given(time);
        self.change(|slot| slot.add_event(&name.into(), at, &attributes));
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        let is_open = self.known.is_some_and(|known| known.slot.with(|_| ()).is_some());
        let known = self.known.filter(|_| is_open);
        let _ = ANSWER.try_with(|answer| answer.set((known, self.trace.clone())));
        is_open
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.change(|slot| slot.set_attribute(&attribute));
    }

    fn set_status(&mut self, status: Status) {
        self.change(|slot| slot.set_status(status));
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        self.change(|slot| {
            slot.with(|span| span.rename(&name.into()));
        });
    }

    fn add_link(&mut self, to: SpanContext, attributes: Vec<KeyValue>) {
        self.change(|slot| slot.add_link(&to, &attributes));
    }

    fn end(&mut self) {
        if let Some(KnownSpan { slot, .. }) = self.known {
            slot.end(None);
        }
    }

    fn end_with_timestamp(&mut self, time: SystemTime) {
        if let Some(KnownSpan { slot, .. }) = self.known {
            slot.end(given(time));
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.ends_on_drop {
            self.end();
        }
    }
}

/// A time that the program has given, in nanoseconds since 1970. `None` for this very moment: where no time is given,
/// OpenTelemetry's API reads the system's clock and gives that.
pub(super) fn given(time: SystemTime) -> Option<u64> {
    const THIS_MOMENT: Duration = Duration::from_micros(50);

    let is_now = SystemTime::now().duration_since(time).is_ok_and(|since| since < THIS_MOMENT);
    (!is_now).then(|| nanos(time))
}
