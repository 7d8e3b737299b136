//! How a value came out, decided by its type: `Result::Err` is a failure, whatever the type is
//! called.
//!
//! [`outcome!`](crate::__private::outcome) calls a method of a [`Probe`] behind more references than
//! it needs; method resolution takes the first trait below that the types satisfy, so that an error
//! records all that its type offers and nothing is required of it.

use std::any::Any;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

use futures_core::Stream;

use crate::attribute::{Attributes, text};
use crate::outcome::{Failure, Fallible, Outcome};

/// A value, to be asked how it came out.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

macro_rules! probes {
    ($($(#[$meta:meta])* $name:ident for $probe:ty, $bound:ident: ($($bounds:tt)*) => |$error:ident| $failure:expr;)*) => {$(
        $(#[$meta])*
        pub trait $name {
            /// The outcome that the value is.
            fn spandrel_outcome(&self) -> Outcome;
        }

        impl<T, $bound: $($bounds)*> $name for $probe {
            fn spandrel_outcome(&self) -> Outcome {
                Outcome::failed(self.0.as_ref().err().map(|$error| $failure))
            }
        }
    )*};
}

probes! {
    /// `E` is an error.
    IsError for &&&&&Probe<'_, Result<T, E>>, E: (KnownError)
        => |error| Failure::of::<E>(error, error.source());
    /// `E` holds an error: a boxed one, `anyhow`'s, `eyre`'s.
    HoldsError for &&&&Probe<'_, Result<T, E>>, E: (Deref<Target: Error>)
        => |error| Failure::of::<E>(&&**error, (**error).source());
    /// `E` can be displayed.
    Displays for &&&Probe<'_, Result<T, E>>, E: (Display)
        => |error| Failure::of::<E>(error, None);
    /// `E` can be debugged.
    Debugs for &&Probe<'_, Result<T, E>>, E: (Debug)
        => |error| Failure::shown::<E>(Some(text(format_args!("{error:?}"))));
    /// `E` tells nothing.
    IsResult for &Probe<'_, Result<T, E>>, E: (Sized)
        => |_error| Failure::shown::<E>(None);
}

/// `E` is what a panic was thrown with, by `catch_unwind` or from a thread.
pub trait IsPanic {
    /// The outcome that the value is.
    fn spandrel_outcome(&self) -> Outcome;
}

impl<T> IsPanic for &&&Probe<'_, Result<T, Box<dyn Any + Send>>> {
    fn spandrel_outcome(&self) -> Outcome {
        Outcome::failed(self.0.as_ref().err().map(|payload| Failure::panicked(&**payload)))
    }
}

/// Anything but a `Result` is a success.
pub trait IsAnything {
    /// Nothing.
    fn spandrel_outcome(&self) -> Outcome;
}

impl<T> IsAnything for Probe<'_, T> {
    fn spandrel_outcome(&self) -> Outcome {
        Outcome::default()
    }
}

/// A future's span would end before its work.
pub trait IsFuture {
    /// The future.
    type Value;

    /// Never compiles.
    fn spandrel_outcome(&self) -> Outcome
    where
        Self::Value: Finished;
}

impl<T: KnownFuture> IsFuture for &&&&&&&Probe<'_, T> {
    type Value = T;

    fn spandrel_outcome(&self) -> Outcome
    where
        T: Finished,
    {
        Outcome::default()
    }
}

/// So would a stream's.
pub trait IsStream {
    /// The stream.
    type Value;

    /// Never compiles.
    fn spandrel_outcome(&self) -> Outcome
    where
        Self::Value: Finished;
}

impl<T: Stream> IsStream for &&&&&&Probe<'_, T> {
    type Value = T;

    fn spandrel_outcome(&self) -> Outcome
    where
        T: Finished,
    {
        Outcome::default()
    }
}

/// What a span's body came to, when there is no more work behind it: no future or stream is.
#[diagnostic::on_unimplemented(
    message = "this is a future or a stream, which works on after the span has ended",
    label = "the span would end too early",
    note = "for a function: write an `async fn`, or return an `impl Future`, an `impl Stream` or a \
            `Pin<Box<dyn …>>` of one",
    note = "for a block: `.await` it inside",
    note = "if it is neither, its type is only known from later code: write it down; and what never \
            returns ends with `;`",
    note = "for a task that is spawned and runs by itself: make a span of a block that ends with \
            `;`, as in `#[span(\"spawn\")] {{ task = spawn(…); }}`"
)]
pub trait Finished {}

/// A future, where the type is known.
#[diagnostic::on_unimplemented(
    message = "the type of this value is only known from later code, and a span asks it how it \
               came out",
    label = "its type is not known yet",
    note = "write it down: `let name: Type = …`, `|…| -> Type {{ … }}`"
)]
pub trait KnownFuture: Future {}

#[diagnostic::do_not_recommend]
impl<T: Future> KnownFuture for T {}

/// An error, where the type is known.
#[diagnostic::on_unimplemented(
    message = "the error type of this `Result` is only known from later code, and a span asks it \
               how it came out",
    label = "its type is not known yet",
    note = "write it down: `let name: Result<_, Error> = …`, `|…| -> Result<_, Error> {{ … }}`, \
            `Ok::<_, Error>(…)`"
)]
pub trait KnownError: Error {}

#[diagnostic::do_not_recommend]
impl<E: Error> KnownError for E {}

/// What `ok` and `ret` see of a `Result`.
pub trait MaySucceed<'a, T> {
    /// The value, if it is a success.
    fn spandrel_success(&self) -> Option<&'a T>;
}

impl<'a, T, E> MaySucceed<'a, T> for &Probe<'a, Result<T, E>> {
    fn spandrel_success(&self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

/// What `ok` and `ret` see of anything else.
pub trait Succeeds<'a, T> {
    /// The value.
    fn spandrel_success(&self) -> Option<&'a T>;
}

impl<'a, T> Succeeds<'a, T> for Probe<'a, T> {
    fn spandrel_success(&self) -> Option<&'a T> {
        Some(self.0)
    }
}

/// A value's outcome, and its success value to record attributes of.
#[derive(Debug)]
pub struct Observed<'a, T> {
    /// How the value came out.
    pub outcome: Outcome,
    /// The success value, if it is one.
    pub success: Option<&'a T>,
}

impl<'a, T> Observed<'a, T> {
    /// A value that is a success.
    pub fn success(value: &'a T) -> Self {
        Self { outcome: Outcome::default(), success: Some(value) }
    }

    /// Records attributes of a success value.
    pub fn ok(self, attributes: impl FnOnce(&mut Attributes, &T)) -> Self {
        let Self { outcome, success } = self;
        Self { outcome: outcome.ok(success, attributes), success }
    }

    /// Records attributes of the error, if the value is a failure.
    pub fn err<R: Fallible>(
        self,
        value: &R,
        attributes: impl FnOnce(&mut Attributes, &R::Error),
    ) -> Self {
        let Self { outcome, success } = self;
        Self { outcome: outcome.err(value, attributes), success }
    }

    /// Records the `Debug` of a success value as the attribute `return`.
    pub fn ret(self) -> Self
    where
        T: Debug,
    {
        self.ok(|attributes, success| attributes.set_debug("return", success))
    }
}
