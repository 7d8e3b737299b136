//! How a traced piece of code came out: whether it failed, and what to record of its value.

#[cfg(any(feature = "rdkafka", feature = "redis"))]
mod coded_error;
mod handled_error;
mod innermost;
pub(crate) mod probe;
pub(crate) mod response_probe;
mod response_status;
#[cfg(feature = "http")]
mod response_types;

use std::any::{Any, type_name};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;

use crate::attribute::{Attributes, text};
#[cfg(any(feature = "rdkafka", feature = "redis"))]
pub use coded_error::CodedError;
pub use handled_error::HandledError;
use innermost::{OTHER, behind_pointers, innermost_type};
pub use response_status::{ErrorMessage, ResponseStatus, ToResponseStatus};

/// What a span is told about the value that its body came to: whether it is a failure, and what to
/// record of it.
///
/// ```
/// use spandrel::{Callsite, Outcome, SpanKind};
///
/// static LOAD: Callsite = Callsite::new("load", SpanKind::Internal, "my-crate", None);
///
/// let text = LOAD.start(|_| ()).run(|| std::fs::read_to_string("missing"), Outcome::of);
/// assert!(text.is_err());
/// ```
#[derive(Debug, Default)]
pub struct Outcome {
    pub(crate) failure: Option<Box<Failure>>,
    pub(crate) attributes: Option<Box<Attributes>>,
}

impl Outcome {
    /// The status stays unset, whatever the value is.
    pub fn unset<T: ?Sized>(_: &T) -> Self {
        Self::default()
    }

    /// An `Err` is a failure: status, `error.type` and the event with its message and causes.
    pub fn of<T, E: Error>(result: &Result<T, E>) -> Self {
        Self::failed(result.as_ref().err().map(|error| Failure::of::<E>(error, error.source())))
    }

    pub(crate) fn failed(failure: Option<Box<Failure>>) -> Self {
        Self { failure, attributes: None }
    }

    /// Records attributes of a success value, if it is one.
    pub fn ok<T: ?Sized>(
        mut self,
        success: Option<&T>,
        attributes: impl FnOnce(&mut Attributes, &T),
    ) -> Self {
        if let Some(success) = success {
            attributes(self.attributes.get_or_insert_default(), success);
        }
        self
    }

    /// Records attributes of the error of this value, if the outcome is a failure.
    pub fn err<R: Fallible>(
        mut self,
        value: &R,
        attributes: impl FnOnce(&mut Attributes, &R::Error),
    ) -> Self {
        if let (Some(_), Some(error)) = (&self.failure, value.error()) {
            attributes(self.attributes.get_or_insert_default(), error);
        }
        self
    }
}

/// An `Err`, as far as its type can tell.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// The `error.type`: the error's static type, or a code that the error has.
    pub(crate) error_type: Cow<'static, str>,
    /// The error's static type. Without one there is no exception to record: a status says it all.
    pub(crate) exception_type: Option<&'static str>,
    /// Its `Display`, or else its `Debug`.
    pub(crate) message: Option<String>,
    /// The messages of the causes behind it, nearest first.
    pub(crate) causes: Vec<String>,
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "a pointer takes little room on the stack of each function that is a span"
)]
impl Failure {
    /// What an error of type `E` and its causes display.
    pub(crate) fn of<E: ?Sized>(
        error: &dyn Display,
        source: Option<&(dyn Error + 'static)>,
    ) -> Box<Self> {
        Self::displayed(type_name::<E>(), error, source)
    }

    /// What a type `E` that holds some error displays. The error's type is the innermost one that is known.
    pub(crate) fn held<E: ?Sized>(
        holder: &dyn Display,
        error: &(dyn Error + 'static),
    ) -> Box<Self> {
        let fallback = type_name::<E>();
        // A box has the name of a pointer, which says nothing of the error.
        let fallback = if fallback.contains("dyn ") { OTHER } else { fallback };
        let error_type = innermost_type(error).unwrap_or(fallback);
        Self::displayed(error_type, holder, error.source())
    }

    /// What an error displays that has a code.
    #[cfg(any(feature = "rdkafka", feature = "redis"))]
    pub(crate) fn coded<E: CodedError>(coded: &E) -> Box<Self> {
        let error = coded.coded_error();
        let mut failure = Self::held::<E>(error, error);
        if let Some(code) = coded.code() {
            failure.error_type = code.into();
        }
        failure
    }

    #[cold]
    fn displayed(
        error_type: &'static str,
        error: &dyn Display,
        source: Option<&(dyn Error + 'static)>,
    ) -> Box<Self> {
        let causes = std::iter::successors(source, |&error| error.source());
        let causes = causes.map(|error| text(format_args!("{error}"))).collect();
        let mut failure = Self::of_type(behind_pointers(error_type));
        failure.message = Some(text(format_args!("{error}")));
        failure.causes = causes;
        failure
    }

    /// What an error of type `E` shows of itself, if anything.
    pub(crate) fn shown<E>(message: Option<String>) -> Box<Self> {
        let mut failure = Self::of_type(type_name::<E>());
        failure.message = message;
        failure
    }

    /// What a panic was thrown with.
    pub(crate) fn panicked(payload: &dyn Any) -> Box<Self> {
        let mut failure = Self::of_type(PANIC);
        failure.message = Some(panic_message(payload).to_owned());
        failure
    }

    fn of_type(name: &'static str) -> Box<Self> {
        let (error_type, exception_type) = (Cow::Borrowed(name), Some(name));
        Box::new(Self { error_type, exception_type, ..Self::default() })
    }

    /// What the status says: the message, or the type where there is none. It is empty if a status says it all.
    pub(crate) fn description(&self) -> &str {
        self.message.as_deref().or(self.exception_type).unwrap_or_default()
    }
}

/// The type of an exception that is a panic.
pub(crate) const PANIC: &str = "panic";

/// What `panic!` was given: a literal, or something formatted.
pub(crate) fn panic_message(payload: &dyn Any) -> &str {
    let literal = payload.downcast_ref::<&'static str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or(PANIC)
}

/// Whether this is an `Err` that `error_if` does not count as an error.
pub fn expected<R: Fallible>(value: &R, error_if: impl FnOnce(&R::Error) -> bool) -> bool {
    value.error().is_some_and(|error| !error_if(error))
}

/// What `error_if` and `err` look at.
#[diagnostic::on_unimplemented(
    message = "`error_if` and `err` look at the error of a `Result`; this is `{Self}`",
    label = "not a `Result`"
)]
pub trait Fallible {
    /// The error's type.
    type Error;

    /// The error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for Result<T, E> {
    type Error = E;

    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}
