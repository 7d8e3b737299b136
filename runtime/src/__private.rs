//! What the expansions of the macros call. Not part of the public interface: it may change in any
//! release, together with the macros.

use opentelemetry::Context;

#[cfg(feature = "app")]
pub use crate::app::{SetUp, tear_down};
pub use crate::outcome::{
    Debugs, Displays, HoldsError, IsAnything, IsError, IsFuture, IsResult, IsStream, MaySucceed,
    Outcome, Probe, Succeeds, expected,
};
pub use crate::propagation::{Carrier, CarrierMut, ExtractorCarrier, InjectorCarrier};
pub use crate::span::shape;
pub use crate::span::{Callsite, Span, settle};
pub use crate::{
    __callsite as callsite, __end as end, __extract as extract, __follow as follow,
    __inject as inject, __outcome as outcome, __success as success,
};

/// A body that continues a context without a span of its own.
pub fn continued(context: Context) -> Span {
    Span::continued(context)
}

/// A body with blocks that are spans, and no span of its own.
pub fn frame() -> Span {
    Span::OFF.with_blocks()
}

/// Tells the compiler what an `async` block returns; never called.
pub fn unreachable<T>() -> T {
    unreachable!("only the type of this call is wanted")
}

/// The callsite of a span in the crate that this expands in. A name that is an expression may need
/// the generic parameters of its function, which a `static` has not.
#[doc(hidden)]
#[macro_export]
macro_rules! __callsite {
    ($name:literal, $kind:ident) => {{
    static CALLSITE: $crate::__private::Callsite = $crate::__callsite!(@new $name, $kind);
        &CALLSITE
    }};
    ($name:expr, $kind:ident) => {
const { &$crate::__callsite!(@new $name, $kind) }
    };
    (@new $name:expr, $kind:ident) => {
        $crate::__private::Callsite::new(
            $name,
            $crate::SpanKind::$kind,
            ::core::env!("CARGO_PKG_NAME"),
            ::core::option_env!("CARGO_PKG_VERSION"),
        )
    };
}

/// The outcome of a value, by its type; with `error_if`, only an `Err` that satisfies it counts.
#[doc(hidden)]
#[macro_export]
macro_rules! __outcome {
    ($value:expr) => {{
        use $crate::__private::{
            Debugs as _, Displays as _, HoldsError as _, IsAnything as _, IsError as _,
            IsFuture as _, IsResult as _, IsStream as _,
        };
        (&&&&&&&&$crate::__private::Probe($value)).outcome()
    }};
    ($value:expr, $error_if:expr) => {
        if $crate::__private::expected($value, $error_if) {
            $crate::__private::Outcome::unset($value)
        } else {
            $crate::__outcome!($value)
        }
    };
}

/// The success value of a `Result`, or any other value, if it is one.
#[doc(hidden)]
#[macro_export]
macro_rules! __success {
    ($value:expr) => {{
        use $crate::__private::{MaySucceed as _, Succeeds as _};
        (&&$crate::__private::Probe($value)).success()
    }};
}

/// Ends a span by the value that a function returns, or hands it to what is in a box.
#[doc(hidden)]
#[macro_export]
macro_rules! __end {
    ($span:ident, $value:ident, $look:expr) => {{
        use $crate::__private::shape::{IsBoxed as _, IsPlain as _};
        (&&$crate::__private::shape::Shape::of(&$value)).end($span, $value, $look)
    }};
}

/// As `end`, for a function that returns an opaque type: a future, a stream, or a value.
#[doc(hidden)]
#[macro_export]
macro_rules! __follow {
    ($span:ident, $value:ident, $look:expr) => {{
        use $crate::__private::shape::{IsFuture as _, IsPlain as _, IsStream as _};
        (&&&$crate::__private::shape::Shape::of(&$value)).follow($span, $value, $look)
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
