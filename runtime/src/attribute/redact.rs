//! The program's function that sees what is recorded before it is recorded, and may replace or remove it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Debug, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "app")]
use arc_swap::ArcSwapOption;
use opentelemetry::trace::{Link, Status};
use opentelemetry::{KeyValue, Value};

use crate::encoding::ValueRef;
use crate::report::say;

/// What becomes of an attribute that a function of [`Config::redact`](crate::Config::redact) has seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Redaction {
    /// It is recorded as it is.
    Keep,
    /// It is recorded with this value.
    Replace(Value),
    /// It is not recorded.
    Remove,
}

/// A function of the program's.
#[derive(Clone)]
pub(crate) struct Redactor(Arc<Redact>);

type Redact = dyn Fn(&str, &Value) -> Redaction + Send + Sync;

/// The key under which the function sees the description of a span's status.
pub(crate) const DESCRIPTION: &str = "otel.status_description";

static IS_SET: AtomicBool = AtomicBool::new(false);
#[cfg(feature = "app")]
static INSTALLED: ArcSwapOption<Redactor> = ArcSwapOption::const_empty();

thread_local!(static IS_REDACTING: Cell<bool> = const { Cell::new(false) });

impl Redactor {
    pub(crate) fn new(redact: impl Fn(&str, &Value) -> Redaction + Send + Sync + 'static) -> Self {
        Self(Arc::new(redact))
    }

    /// Makes it the function of this process; with `None` there is none.
    #[cfg(feature = "app")]
    pub(crate) fn install(redactor: Option<Self>) {
        if let Some(redactor) = redactor {
            INSTALLED.store(Some(Arc::new(redactor)));
            IS_SET.store(true, Ordering::Release);
        } else {
            IS_SET.store(false, Ordering::Release);
            INSTALLED.store(None);
        }
    }

    /// What the function says. What it records itself is removed, and so is an attribute on which it panics.
    fn redact(&self, key: &str, value: &Value) -> Redaction {
        if IS_REDACTING.replace(true) {
            return Redaction::Remove;
        }
        let redaction = catch_unwind(AssertUnwindSafe(|| (self.0)(key, value)));
        IS_REDACTING.set(false);
        redaction.unwrap_or_else(|_| {
            static IS_REPORTED: AtomicBool = AtomicBool::new(false);

            if !IS_REPORTED.swap(true, Ordering::Relaxed) {
                say(format_args!("the function of `redact` panicked on `{key}`; what it panics on is not recorded"));
            }
            Redaction::Remove
        })
    }
}

impl PartialEq for Redactor {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Debug for Redactor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redactor").finish_non_exhaustive()
    }
}

/// Whether this thread is in the function. It may hold the lock of the span that is current: until it returns, nothing
/// is recorded on this thread, and no span is asked.
pub(crate) fn is_redacting() -> bool {
    IS_REDACTING.get()
}

/// Whether there is a function. Without one, what is recorded costs this question.
#[inline]
pub(crate) fn is_set() -> bool {
    IS_SET.load(Ordering::Relaxed)
}

#[cold]
fn redaction(key: &str, value: &Value) -> Redaction {
    #[cfg(feature = "app")]
    if let Some(redactor) = &*INSTALLED.load() {
        return redactor.redact(key, value);
    }
    let _ = (key, value);
    // It is being installed, or was there a moment ago.
    Redaction::Remove
}

/// Records the value that is left of this one, if any is.
#[inline]
pub(crate) fn value<T>(
    key: &str,
    value: ValueRef<'_>,
    record: impl FnOnce(ValueRef<'_>) -> T,
) -> Option<T> {
    let Some(owned) = is_set().then(|| value.to_value()).flatten() else {
        return Some(record(value));
    };
    match redaction(key, &owned) {
        Redaction::Keep => Some(record(value)),
        Redaction::Replace(value) => Some(record((&value).into())),
        Redaction::Remove => None,
    }
}

/// What is left of this value.
pub(crate) fn owned(key: &str, value: ValueRef<'_>) -> Option<Value> {
    let value = value.to_value()?;
    match if is_set() { redaction(key, &value) } else { Redaction::Keep } {
        Redaction::Keep => Some(value),
        Redaction::Replace(other) => Some(other),
        Redaction::Remove => None,
    }
}

/// What is left of this text.
pub(crate) fn text<'a>(key: &str, text: &'a str) -> Option<Cow<'a, str>> {
    if !is_set() {
        return Some(Cow::Borrowed(text));
    }
    match redaction(key, &Value::String(text.to_owned().into())) {
        Redaction::Keep => Some(Cow::Borrowed(text)),
        Redaction::Replace(value) => Some(Cow::Owned(value.as_str().into_owned())),
        Redaction::Remove => None,
    }
}

/// What is left of these attributes.
pub(crate) fn attributes(attributes: &[KeyValue]) -> Cow<'_, [KeyValue]> {
    if attributes.is_empty() || !is_set() {
        return Cow::Borrowed(attributes);
    }
    let mut attributes = attributes.to_vec();
    in_place(&mut attributes);
    Cow::Owned(attributes)
}

/// Leaves what is left of these attributes.
pub(crate) fn in_place(attributes: &mut Vec<KeyValue>) {
    attributes.retain_mut(|attribute| match redaction(attribute.key.as_str(), &attribute.value) {
        Redaction::Keep => true,
        Redaction::Replace(value) => {
            attribute.value = value;
            true
        }
        Redaction::Remove => false,
    });
}

/// What is left of these links: all of them, with what is left of their attributes.
pub(crate) fn links(links: &[Link]) -> Cow<'_, [Link]> {
    if links.iter().all(|link| link.attributes.is_empty()) || !is_set() {
        return Cow::Borrowed(links);
    }
    let mut links = links.to_vec();
    for link in &mut links {
        in_place(&mut link.attributes);
    }
    Cow::Owned(links)
}

/// What is left of a status. A status stays an error without its description.
pub(crate) fn status(status: &mut Status) {
    if let Status::Error { description } = status
        && !description.is_empty()
    {
        let left = text(DESCRIPTION, description).unwrap_or_default().into_owned();
        *description = left.into();
    }
}
