//! The span that is current.

use std::borrow::Cow;

use opentelemetry::trace::{SpanId, Status, TraceContextExt, TraceId};
use opentelemetry::{Context, Key, KeyValue};

use super::exception;
use super::target::Target;
use crate::attribute::{Attributes, ToAttribute, ToAttributes, redact};
use crate::context::{self, ToContext};
use crate::outcome::HandledError;

/// The span that is current on this thread, whoever started it.
///
/// ```
/// spandrel::current().set("cache.hit", true);
/// ```
pub fn current() -> CurrentSpan {
    CurrentSpan(context::current())
}

/// The trace that is current; [`TraceId::INVALID`], all zeros, when there is none.
pub fn current_trace_id() -> TraceId {
    current().trace_id()
}

/// A handle on a span. Everything it is told goes nowhere when the span does not record.
#[derive(Clone, Debug)]
pub struct CurrentSpan(Context);

impl CurrentSpan {
    /// Records an attribute, in place of an earlier value under this key. The key may be owned.
    pub fn set(&self, key: impl Into<Key>, value: impl ToAttribute) {
        if let Some(target) = self.target()
            && let Some(value) = value.to_attribute()
        {
            target.set_attribute(KeyValue::new(key, value));
        }
    }

    /// Records a group of attributes, in place of earlier values under their keys.
    ///
    /// ```
    /// spandrel::current().set_all([("cache.hit", true), ("cache.stale", false)]);
    /// ```
    pub fn set_all(&self, group: impl ToAttributes) {
        if let Some(target) = self.recording_target() {
            for attribute in collect(&group) {
                target.set_attribute(attribute);
            }
        }
    }

    /// Records an event at this moment, with a group of attributes: `()` for none.
    ///
    /// ```
    /// spandrel::current().event("retry", [("attempt", 2)]);
    /// ```
    pub fn event(&self, name: impl Into<Cow<'static, str>>, attributes: impl ToAttributes) {
        if let Some(target) = self.recording_target() {
            target.add_event(name.into(), collect(&attributes));
        }
    }

    /// Records an error that the program handles, as an `Err` that a function returns is recorded: the status, `error.type`,
    /// and an `exception` event with the error's message and its causes. If this span or one under it
    /// has already recorded an error with this message, there is no second event, so the error may be returned after it.
    ///
    /// ```
    /// # let connected: std::io::Result<()> = Err(std::io::Error::other("no route"));
    /// if let Err(error) = connected {
    ///     spandrel::current().error(&error); // and go on without a connection
    /// }
    /// ```
    pub fn error(&self, error: &(impl HandledError + ?Sized)) {
        if self.is_recording()
            && let Some(failure) = error.outcome().failure
        {
            exception::record_current(&self.0, &failure);
        }
    }

    /// Changes the span's name; a blank one changes nothing. The sampler has decided by the name that the span started with.
    pub fn rename(&self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        if let Some(target) = self.target()
            && !name.trim().is_empty()
        {
            target.rename(name);
        }
    }

    /// Links another span.
    pub fn link(&self, to: impl ToContext) {
        let to = to.to_span_context();
        if let Some(target) = self.target()
            && to.is_valid()
        {
            target.add_link(to);
        }
    }

    /// Marks the span as failed, with a reason.
    pub fn fail(&self, reason: impl Into<String>) {
        if let Some(target) = self.target() {
            target.set_status(Status::error(reason.into()));
        }
    }

    /// The span; none while the program's function redacts, as that changes no span.
    fn target(&self) -> Option<Target<'_>> {
        (!redact::is_redacting()).then(|| Target::of(&self.0))
    }

    fn recording_target(&self) -> Option<Target<'_>> {
        self.is_recording().then(|| Target::of(&self.0))
    }

    /// Whether what is set here is recorded anywhere.
    pub fn is_recording(&self) -> bool {
        !redact::is_redacting() && self.0.span().is_recording()
    }

    /// The span's trace; all zeros when there is none.
    pub fn trace_id(&self) -> TraceId {
        self.0.span().span_context().trace_id()
    }

    /// The span's own id; all zeros when there is none.
    pub fn span_id(&self) -> SpanId {
        self.0.span().span_context().span_id()
    }
}

fn collect(group: &impl ToAttributes) -> Vec<KeyValue> {
    let mut attributes = Attributes::default();
    group.to_attributes(&mut attributes);
    attributes.into_vec()
}

impl ToContext for CurrentSpan {
    fn to_context(&self) -> Context {
        self.0.clone()
    }
}
