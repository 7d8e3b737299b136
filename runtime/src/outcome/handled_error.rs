//! Errors that a program handles and records.

use std::error::Error;

use super::probe::SomeError;
use super::{Failure, Outcome};

/// An error: any type that implements [`Error`], and `dyn Error`, alone or with `Send` and `Sync`.
///
/// Of what holds an error, such as a `Box<dyn Error>` or `anyhow::Error`, give the error: `&*error`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error",
    label = "not an error",
    note = "of a `Box<dyn Error>`, of `anyhow`'s or `eyre`'s error, give what it holds: `&*error`"
)]
pub trait HandledError {
    /// The failure that it is.
    #[doc(hidden)]
    fn outcome(&self) -> Outcome;
}

impl<E: Error> HandledError for E {
    fn outcome(&self) -> Outcome {
        Outcome::failed(Some(Failure::of::<E>(self, self.source())))
    }
}

macro_rules! errors {
    ($($ty:ty;)*) => {$(
        impl SomeError for $ty {
            fn some_error(&self) -> &(dyn Error + 'static) {
                self
            }
        }

        impl HandledError for $ty {
            fn outcome(&self) -> Outcome {
                Outcome::failed(Some(Failure::held::<Self>(&self, self)))
            }
        }
    )*};
}

errors! {
    dyn Error + 'static;
    dyn Error + Send + 'static;
    dyn Error + Sync + 'static;
    dyn Error + Send + Sync + 'static;
}
