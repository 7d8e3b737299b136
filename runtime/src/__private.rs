//! What the expansions of the macros call. Not part of the public interface: it may change in any
//! release, together with the macros.

use opentelemetry::Context;

#[cfg(feature = "app")]
pub use crate::app::{SetUp, tear_down};
pub use crate::outcome::{
    Debugs, Displays, Failure, HoldsError, IsAnything, IsError, IsFuture, IsResult, Probe,
};
pub use crate::propagation::{Carrier, CarrierMut, ExtractorCarrier, InjectorCarrier};
pub use crate::span::{Callsite, Span};
pub use crate::{__callsite as callsite, __extract as extract};
pub use crate::{__inject as inject, __outcome as outcome};

/// A body that continues a context without a span of its own.
pub fn continued(context: Context) -> Span {
    Span::continued(context)
}

/// Tells the compiler what an `async` block returns; never called.
pub fn unreachable<T>() -> T {
    unreachable!("only the type of this call is wanted")
}

/// The callsite of a span in the crate that this expands in.
#[doc(hidden)]
#[macro_export]
macro_rules! __callsite {
    ($name:expr, $kind:ident) => {{
        static CALLSITE: $crate::__private::Callsite = $crate::__private::Callsite::new(
            $name,
            $crate::SpanKind::$kind,
            ::core::env!("CARGO_PKG_NAME"),
            ::core::option_env!("CARGO_PKG_VERSION"),
        );
        &CALLSITE
    }};
}

/// The failure that a traced function's result is, if it is one, by its type.
#[doc(hidden)]
#[macro_export]
macro_rules! __outcome {
    ($value:expr) => {{
        use $crate::__private::{
            Debugs as _, Displays as _, HoldsError as _, IsAnything as _, IsError as _,
            IsFuture as _, IsResult as _,
        };
        (&&&&&&&$crate::__private::Probe($value)).failure()
    }};
}

/// The context in a carrier.
#[doc(hidden)]
#[macro_export]
macro_rules! __extract {
    ($carrier:expr) => {{
        use $crate::__private::{Carrier as _, ExtractorCarrier as _};
        ($carrier).extract_context()
    }};
}

/// Writes the current context into a carrier.
#[doc(hidden)]
#[macro_export]
macro_rules! __inject {
    ($carrier:expr) => {{
        use $crate::__private::{CarrierMut as _, InjectorCarrier as _};
        ($carrier).inject_context()
    }};
}
