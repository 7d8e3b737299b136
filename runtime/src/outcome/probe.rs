//! How a value came out, decided by its type: `Result::Err` is a failure, whatever the type is
//! called.
//!
//! [`outcome!`](crate::__private::outcome) calls a method on [`AsFuture`]. Method resolution looks for the method
//! there, then on what that dereferences to, and so on down to [`Probe`]: it takes the first trait below that the
//! value's type satisfies. So an error records all that its type offers, and nothing is required of it.

use std::any::Any;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

use futures_core::Stream;

use crate::attribute::{Attributes, text};
#[cfg(any(feature = "rdkafka", feature = "redis"))]
use crate::outcome::CodedError;
use crate::outcome::{Failure, Fallible, Outcome};

/// A value, of any type.
#[derive(Debug)]
pub struct Probe<'a, T>(&'a T);

impl<'a, T> Probe<'a, T> {
    /// Of this value.
    #[inline]
    pub fn of(value: &'a T) -> Self {
        Self(value)
    }

    pub(super) fn value(&self) -> &'a T {
        self.0
    }
}

/// Types that dereference one to the next.
macro_rules! steps {
    ($($(#[$meta:meta])* $name:ident => $next:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name<'a, T>($next<'a, T>);

        impl<'a, T> $name<'a, T> {
            /// Of this value.
            #[inline]
            pub fn of(value: &'a T) -> Self {
                Self($next::of(value))
            }
        }

        impl<'a, T> Deref for $name<'a, T> {
            type Target = $next<'a, T>;

            #[inline]
            fn deref(&self) -> &$next<'a, T> {
                &self.0
            }
        }
    )*};
}

steps! {
    /// A value that may be a future.
    AsFuture => AsStream;
    /// A value that may be a stream.
    AsStream => AsCodedError;
    /// A value that may be a `Result` of an error.
    AsError => AsSomeErrorHolder;
    /// A value that may be a `Result` of what holds some error.
    AsSomeErrorHolder => AsErrorHolder;
    /// A value that may be a `Result` of what holds an error.
    AsErrorHolder => AsDisplay;
    /// A value that may be a `Result` of what can be displayed, or was thrown.
    AsDisplay => AsDebug;
    /// A value that may be a `Result` of what can be debugged.
    AsDebug => AsResult;
    /// A value that may be a `Result`.
    AsResult => AsMessage;
    /// A value that may be the status of a response, and a message.
    AsMessage => AsResponse;
    /// A value that may be a response.
    AsResponse => Probe;
}

/// A value that may be a `Result` of an error with a code. Without clients whose errors have one, the compiler need not
/// look for it: each step takes some of its time for each function that is a span.
#[cfg(not(any(feature = "rdkafka", feature = "redis")))]
pub type AsCodedError<'a, T> = AsError<'a, T>;

#[cfg(any(feature = "rdkafka", feature = "redis"))]
steps! {
    /// A value that may be a `Result` of an error with a code.
    AsCodedError => AsError;
}

macro_rules! probes {
    ($($(#[$meta:meta])* $name:ident for $step:ident, $bound:ident: ($($bounds:tt)*) => |$error:ident| $failure:expr;)*) => {$(
        $(#[$meta])*
        pub trait $name {
            /// The outcome that the value is.
            fn spandrel_outcome(&self) -> Outcome;
        }

        #[diagnostic::do_not_recommend]
        impl<T, $bound: $($bounds)*> $name for $step<'_, Result<T, $bound>> {
            fn spandrel_outcome(&self) -> Outcome {
                let value: &Probe<'_, _> = self;
                Outcome::failed(value.value().as_ref().err().map(|$error| $failure))
            }
        }
    )*};
}

/// A probe that comes before the others about `Result`s, so that the compiler names it when it does not know the type.
macro_rules! first_probe {
    ($($probe:tt)*) => {
        probes! {
            #[diagnostic::on_unimplemented(
                message = "the error type of this `Result` is only known from later code, and a span asks it \
                           how it came out",
                label = "its type is not known yet",
                note = "write it down: `let name: Result<_, Error> = …`, `|…| -> Result<_, Error> {{ … }}`, \
                        `Ok::<_, Error>(…)`"
            )]
            $($probe)*
        }
    };
}

first_probe! {
    /// `E` is an error.
    IsError for AsError, E: (Error)
        => |error| Failure::of::<E>(error, error.source());
}

probes! {
    /// `E` holds some error: `Box<dyn Error>`, `anyhow`'s, `eyre`'s.
    HoldsSomeError for AsSomeErrorHolder, E: (Deref<Target: SomeError>)
        => |error| Failure::held::<E>(&&**error, (**error).some_error());
    /// `E` holds an error of a type that is known: `Box<MyError>`, `Arc<MyError>`.
    HoldsError for AsErrorHolder, E: (Deref<Target: Error>)
        => |error| Failure::of::<E::Target>(&&**error, (**error).source());
    /// `E` can be displayed.
    Displays for AsDisplay, E: (Display)
        => |error| Failure::of::<E>(error, None);
    /// `E` can be debugged.
    Debugs for AsDebug, E: (Debug)
        => |error| Failure::shown::<E>(Some(text(format_args!("{error:?}"))));
    /// `E` tells nothing.
    IsResult for AsResult, E: (Sized)
        => |_error| Failure::shown::<E>(None);
}

#[cfg(any(feature = "rdkafka", feature = "redis"))]
first_probe! {
    /// `E` has a code.
    HasCode for AsCodedError, E: (CodedError)
        => |error| Failure::coded(error);
}

/// An error behind a pointer, whose type is not known.
pub trait SomeError: Error {
    /// The error.
    fn some_error(&self) -> &(dyn Error + 'static);
}

/// `E` is what a panic was thrown with, by `catch_unwind` or from a thread.
pub trait IsPanic {
    /// The outcome that the value is.
    fn spandrel_outcome(&self) -> Outcome;
}

impl<T> IsPanic for AsDisplay<'_, Result<T, Box<dyn Any + Send>>> {
    fn spandrel_outcome(&self) -> Outcome {
        let value: &Probe<'_, _> = self;
        Outcome::failed(value.value().as_ref().err().map(|payload| Failure::panicked(&**payload)))
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
#[diagnostic::on_unimplemented(
    message = "the type of this value is only known from later code, and a span asks it how it \
               came out",
    label = "its type is not known yet",
    note = "write it down: `let name: Type = …`, `|…| -> Type {{ … }}`"
)]
pub trait IsFuture {
    /// The future.
    type Value;

    /// Never compiles.
    fn spandrel_outcome(&self) -> Outcome
    where
        Self::Value: Finished;
}

#[diagnostic::do_not_recommend]
impl<T: Future> IsFuture for AsFuture<'_, T> {
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

impl<T: Stream> IsStream for AsStream<'_, T> {
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

/// What `ok` and `ret` see of a `Result`.
pub trait MaySucceed<'a, T> {
    /// The value, if it is a success.
    fn spandrel_success(&self) -> Option<&'a T>;
}

impl<'a, T, E> MaySucceed<'a, T> for AsResult<'a, Result<T, E>> {
    fn spandrel_success(&self) -> Option<&'a T> {
        self.value().as_ref().ok()
    }
}

/// What `ok` and `ret` see of anything else.
pub trait Succeeds<'a, T> {
    /// The value.
    fn spandrel_success(&self) -> Option<&'a T>;
}

impl<'a, T> Succeeds<'a, T> for Probe<'a, T> {
    fn spandrel_success(&self) -> Option<&'a T> {
        Some(self.value())
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
