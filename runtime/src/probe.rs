//! How a value came out, decided by its type: `Result::Err` is a failure, whatever the type is
//! called.
//!
//! [`outcome!`](crate::__private::outcome) calls `outcome` on a [`Probe`] behind more references
//! than it needs; method resolution takes the first trait below that the types satisfy, so that an
//! error records all that its type offers and nothing is required of it.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

use futures_core::Stream;

use crate::attribute::Attributes;
use crate::outcome::{Failure, Outcome};

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

/// A future's span would end before its work.
pub trait IsFuture<'a> {
    /// The future.
    type Value;

    /// Never compiles.
    fn outcome(&self) -> Outcome<'a>
    where
        Self::Value: Finished;
}

impl<'a, T: Future> IsFuture<'a> for &&&&&&&Probe<'a, T> {
    type Value = T;

    fn outcome(&self) -> Outcome<'a>
    where
        T: Finished,
    {
        Outcome::default()
    }
}

/// So would a stream's.
pub trait IsStream<'a> {
    /// The stream.
    type Value;

    /// Never compiles.
    fn outcome(&self) -> Outcome<'a>
    where
        Self::Value: Finished;
}

impl<'a, T: Stream> IsStream<'a> for &&&&&&Probe<'a, T> {
    type Value = T;

    fn outcome(&self) -> Outcome<'a>
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

/// A value's outcome, and its success value to record attributes of.
#[derive(Debug)]
pub struct Observed<'a, T> {
    /// How the value came out.
    pub outcome: Outcome<'a>,
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

    /// Records the `Debug` of a success value as the attribute `return`.
    pub fn ret(self) -> Self
    where
        T: Debug,
    {
        self.ok(|attributes, success| attributes.set_debug("return", success))
    }
}
