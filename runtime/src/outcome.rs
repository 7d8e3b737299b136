//! Whether a value is a failure, decided by its type: `Result::Err`, whatever the type is called.
//!
//! [`outcome!`](crate::__private::outcome) calls `failure` on a [`Probe`] behind more references
//! than it needs; method resolution takes the first trait below that the types satisfy, so that an
//! error records all that its type offers and nothing is required of it.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

/// An `Err`, as far as its type can tell.
///
/// ```
/// use spandrel::{Callsite, Failure, SpanKind};
///
/// static LOAD: Callsite = Callsite::new("load", SpanKind::Internal, "my-crate", None);
///
/// let text = LOAD.start(|_| ()).run(|| std::fs::read_to_string("missing"), Failure::of);
/// assert!(text.is_err());
/// ```
#[derive(Debug)]
pub struct Failure<'a> {
    /// The error's static type.
    pub(crate) error_type: &'static str,
    /// Its `Display`, or else its `Debug`.
    pub(crate) message: Option<String>,
    /// The cause behind it.
    pub(crate) source: Option<&'a (dyn Error + 'static)>,
}

impl Failure<'_> {
    /// The failure of a result whose error is an [`Error`], if it is one.
    pub fn of<T, E: Error>(result: &Result<T, E>) -> Option<Failure<'_>> {
        let error = result.as_ref().err()?;
        Some(Failure::new::<E>(Some(error.to_string()), error.source()))
    }
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

/// The result of a traced function, to be asked whether it is a failure.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

macro_rules! probes {
    ($($(#[$meta:meta])* $name:ident for $probe:ty, $bound:ident: ($($bounds:tt)*) => |$error:ident| $failure:expr;)*) => {$(
        $(#[$meta])*
        pub trait $name<'a> {
            /// The failure that the value is, if it is one.
            fn failure(&self) -> Option<Failure<'a>>;
        }

        impl<'a, T, $bound: $($bounds)*> $name<'a> for $probe {
            fn failure(&self) -> Option<Failure<'a>> {
                self.0.as_ref().err().map(|$error| $failure)
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

/// A future is not a result: its span would end before its work.
pub trait IsFuture<'a> {
    /// What the future resolves to is not known.
    type Value;

    /// Never compiles.
    fn failure(&self) -> Option<Failure<'a>>
    where
        Self::Value: EndsWithItsFunction;
}

/// What a function returns whose span ends when it returns: no future does.
#[diagnostic::on_unimplemented(
    message = "this function returns a future, which works on after the span has ended",
    label = "the span would end too early",
    note = "write an `async fn`, or return an `impl Future<Output = …>`"
)]
pub trait EndsWithItsFunction {}

impl<'a, T: Future> IsFuture<'a> for &&&&&&Probe<'a, T> {
    type Value = T;

    fn failure(&self) -> Option<Failure<'a>>
    where
        T: EndsWithItsFunction,
    {
        None
    }
}

/// Anything but a `Result` is a success.
pub trait IsAnything<'a> {
    /// Nothing.
    fn failure(&self) -> Option<Failure<'a>>;
}

impl<'a, T> IsAnything<'a> for Probe<'a, T> {
    fn failure(&self) -> Option<Failure<'a>> {
        None
    }
}
