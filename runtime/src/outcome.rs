//! How a traced piece of code came out, decided by the type of its value: `Result::Err` is a
//! failure, whatever the type is called.
//!
//! [`outcome!`](crate::__private::outcome) calls `outcome` on a [`Probe`] behind more references
//! than it needs; method resolution takes the first trait below that the types satisfy, so that an
//! error records all that its type offers and nothing is required of it.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

use futures_core::Stream;

use crate::attribute::{Attributes, ToAttribute};

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

    /// Records a value under a key.
    pub fn set<T: ToAttribute + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.attributes.set(key, value);
    }

    /// Records a value's `Display` under a key.
    pub fn set_display<T: Display + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.attributes.set_display(key, value);
    }

    /// Records a value's `Debug` under a key.
    pub fn set_debug<T: Debug + ?Sized>(&mut self, key: &'static str, value: &T) {
        self.attributes.set_debug(key, value);
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
    fn new<E>(message: Option<String>, source: Option<&'a (dyn Error + 'static)>) -> Self {
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

/// A value, to be asked how it came out.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

macro_rules! probes {
    ($($(#[$meta:meta])* $name:ident for $probe:ty, $bound:ident: ($($bounds:tt)*) => |$error:ident| $failure:expr;)*) => {$(
        $(#[$meta])*
        pub trait $name<'a> {
            /// The outcome that the value is.
            fn outcome(&self) -> Outcome<'a>;
        }

        impl<'a, T, $bound: $($bounds)*> $name<'a> for $probe {
            fn outcome(&self) -> Outcome<'a> {
                let failure = self.0.as_ref().err().map(|$error| $failure);
                Outcome { failure, attributes: Attributes::default() }
            }
        }
    )*};
}

probes! {
    /// `E` is an error.
    IsError for &&&&&Probe<'a, Result<T, E>>, E: (Error)
        => |error| Failure::new::<E>(Some(error.to_string()), error.source());
    /// `E` holds an error: a boxed one, `anyhow`'s, `eyre`'s.
    HoldsError for &&&&Probe<'a, Result<T, E>>, E: (Deref<Target: Error>)
        => |error| Failure::new::<E>(Some((**error).to_string()), (**error).source());
    /// `E` can be displayed.
    Displays for &&&Probe<'a, Result<T, E>>, E: (Display)
        => |error| Failure::new::<E>(Some(error.to_string()), None);
    /// `E` can be debugged.
    Debugs for &&Probe<'a, Result<T, E>>, E: (Debug)
        => |error| Failure::new::<E>(Some(format!("{error:?}")), None);
    /// `E` tells nothing.
    IsResult for &Probe<'a, Result<T, E>>, E: (Sized)
        => |_error| Failure::new::<E>(None, None);
}

macro_rules! unfinished {
    ($($(#[$meta:meta])* $name:ident for $probe:ty, $bound:path;)*) => {$(
        $(#[$meta])*
        pub trait $name<'a> {
            /// What is not finished yet.
            type Value;

            /// Never compiles.
            fn outcome(&self) -> Outcome<'a>
            where
                Self::Value: Finished;
        }

        impl<'a, T: $bound> $name<'a> for $probe {
            type Value = T;

            fn outcome(&self) -> Outcome<'a>
            where
                T: Finished,
            {
                Outcome::default()
            }
        }
    )*};
}

unfinished! {
    /// A future's span would end before its work.
    IsFuture for &&&&&&&Probe<'a, T>, Future;
    /// So would a stream's.
    IsStream for &&&&&&Probe<'a, T>, Stream;
}

/// What a span's body came to, when there is no more work behind it: no future or stream is.
#[diagnostic::on_unimplemented(
    message = "this is a future or a stream, which works on after the span has ended",
    label = "the span would end too early",
    note = "for a function: write an `async fn`, or return an `impl Future`, an `impl Stream` or a \
            `Pin<Box<dyn …>>` of one",
    note = "for a block: `.await` it inside",
    note = "where the type is only known from later code: write it down"
)]
pub trait Finished {}

/// Anything but a `Result` is a success.
pub trait IsAnything<'a> {
    /// Nothing.
    fn outcome(&self) -> Outcome<'a>;
}

impl<'a, T> IsAnything<'a> for Probe<'a, T> {
    fn outcome(&self) -> Outcome<'a> {
        Outcome::default()
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

/// What `ok` and `ret` see of a `Result`.
pub trait MaySucceed<'a, T> {
    /// The value, if it is a success.
    fn success(&self) -> Option<&'a T>;
}

impl<'a, T, E> MaySucceed<'a, T> for &Probe<'a, Result<T, E>> {
    fn success(&self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

/// What `ok` and `ret` see of anything else.
pub trait Succeeds<'a, T> {
    /// The value.
    fn success(&self) -> Option<&'a T>;
}

impl<'a, T> Succeeds<'a, T> for Probe<'a, T> {
    fn success(&self) -> Option<&'a T> {
        Some(self.0)
    }
}
