//! How a traced piece of code came out: whether it failed, and what to record of its value.

use std::any::type_name;
use std::error::Error;

use crate::attribute::Attributes;

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
pub struct Outcome<'a> {
    pub(crate) failure: Option<Failure<'a>>,
    pub(crate) attributes: Attributes,
}

impl Outcome<'_> {
    /// The status stays unset, whatever the value is.
    pub fn unset<T: ?Sized>(_: &T) -> Outcome<'_> {
        Outcome::default()
    }

    /// An `Err` is a failure: status, `error.type` and the event with its message and causes.
    pub fn of<T, E: Error>(result: &Result<T, E>) -> Outcome<'_> {
        let failure = result
            .as_ref()
            .err()
            .map(|error| Failure::new::<E>(Some(error.to_string()), error.source()));
        Outcome { failure, attributes: Attributes::default() }
    }

    /// Records attributes of a success value, if it is one.
    pub fn ok<T: ?Sized>(
        mut self,
        success: Option<&T>,
        attributes: impl FnOnce(&mut Attributes, &T),
    ) -> Self {
        if let Some(success) = success {
            attributes(&mut self.attributes, success);
        }
        self
    }
}

/// An `Err`, as far as its type can tell.
#[derive(Debug)]
pub(crate) struct Failure<'a> {
    /// The error's static type.
    pub(crate) error_type: &'static str,
    /// Its `Display`, or else its `Debug`.
    pub(crate) message: Option<String>,
    /// The cause behind it.
    source: Option<&'a (dyn Error + 'static)>,
}

impl<'a> Failure<'a> {
    pub(crate) fn new<E>(
        message: Option<String>,
        source: Option<&'a (dyn Error + 'static)>,
    ) -> Self {
        Self { error_type: type_name::<E>(), message, source }
    }

    /// What the status says: the message, or the type where there is none.
    pub(crate) fn description(&self) -> &str {
        self.message.as_deref().unwrap_or(self.error_type)
    }

    /// The messages of the causes, nearest first.
    pub(crate) fn causes(&self) -> impl Iterator<Item = String> {
        std::iter::successors(self.source, |&error| error.source()).map(ToString::to_string)
    }
}

/// Whether this is an `Err` that `error_if` does not count as an error.
pub fn expected<R: Fallible>(value: &R, error_if: impl FnOnce(&R::Error) -> bool) -> bool {
    value.error().is_some_and(|error| !error_if(error))
}

/// What `error_if` looks at.
#[diagnostic::on_unimplemented(
    message = "`error_if` looks at the error of a `Result`; this is `{Self}`",
    label = "not a `Result`"
)]
pub trait Fallible {
    /// The error's type.
    type Error;

    /// The error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
}

impl<T, E> Fallible for Result<T, E> {
    type Error = E;

    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}
