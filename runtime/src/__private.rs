//! What the expansions of the macros call. Not part of the public interface: it may change in any
//! release, together with the macros.

pub use std::boxed::Box;
pub use std::sync::OnceLock;

use opentelemetry::Context;

#[cfg(feature = "app")]
pub use crate::app::{SetUp, tear_down};
pub use crate::context::{current, with_baggage};
pub use crate::encoding::Key;
pub use crate::outcome::Outcome;
pub use crate::span::{
    ActiveSpan, Callsite, EntryGuard, call_body, end_body, end_exited_blocks, enter_frame, in_span,
    is_enabled, observe_exit, run_body, started,
};
pub use crate::{
    __callsite as callsite, __end as end, __end_block as end_block, __end_exited as end_exited,
    __extract as extract, __follow as follow, __inject as inject, __key as key, __linked as linked,
    __observed as observed, __outcome as outcome, __response as response, __returns as returns,
    __succeeded as succeeded,
};

// Compile errors name an item by its own path where the items here are imported with `*`.

/// What `error_if` looks at.
pub mod failure {
    pub use crate::outcome::*;
}

/// What tells how a value came out.
pub mod probe {
    pub use crate::outcome::probe::*;
    pub use crate::outcome::response_probe::*;
}

/// What tells whether a `Result` is a failure.
pub mod result {
    #[cfg(any(feature = "rdkafka", feature = "redis"))]
    pub use crate::outcome::probe::HasCode;
    pub use crate::outcome::probe::{
        AsCodedError, Debugs, Displays, HoldsError, HoldsSomeError, IsAnything, IsError, IsPanic,
        IsResult,
    };
}

/// What gets from an expression to a carrier.
pub mod carrier {
    pub use crate::propagation::resolve::*;
}

/// What tells whether a value is all that a function does.
pub mod returned {
    pub use crate::span::returned::*;
}

/// A body that continues a context without a span of its own.
pub fn continued(context: Context) -> ActiveSpan {
    ActiveSpan::continued(crate::context::entered(context))
}

/// Runs something where no context is current.
pub fn detached<T>(body: impl FnOnce() -> T) -> T {
    let _attached = crate::context::attach(Context::new());
    body()
}

/// A body with blocks that are spans, and no span of its own.
pub fn frame() -> ActiveSpan {
    ActiveSpan::DISABLED.with_blocks()
}

/// The crate whose spans these are; its module where no Cargo says which crate it is.
pub const fn library(package: Option<&'static str>, module: &'static str) -> &'static str {
    match package {
        Some(package) => package,
        None => module,
    }
}

/// Never called: only its type is wanted.
pub fn unreachable<T>() -> T {
    unreachable!("only the type of this call is wanted")
}

/// Tells the compiler what is in a `Result`.
pub fn is_of<T, E>(_: &Result<T, E>) {}

/// Tells the compiler what an `async` block returns.
#[doc(hidden)]
#[macro_export]
macro_rules! __returns {
    ($output:ty) => {
        if false {
            return $crate::__private::unreachable::<$output>();
        }
    };
}

/// A callsite in the crate that this expands in. A name that is an expression may need
/// the generic parameters of its function, which a `static` has not.
#[doc(hidden)]
#[macro_export]
macro_rules! __callsite {
    ($name:literal, $kind:ident, $line:literal) => {{
        static LOCATION: $crate::__private::OnceLock<$crate::__private::Box<[u8]>> =
            $crate::__private::OnceLock::new();
        static CALLSITE: $crate::__private::Callsite =
        $crate::__callsite!(@new $name, $kind, $line).kept_in(&LOCATION);
        &CALLSITE
    }};
    ($name:expr, $kind:ident, $line:literal) => {
const { &$crate::__callsite!(@new $name, $kind, $line) }
    };
    (@new $name:expr, $kind:ident, $line:literal) => {
        $crate::__private::Callsite::new(
            $name,
            $crate::SpanKind::$kind,
            $crate::__private::library(
                ::core::option_env!("CARGO_PKG_NAME"),
                ::core::module_path!(),
            ),
            ::core::option_env!("CARGO_PKG_VERSION"),
        )
        .at(::core::file!(), $line)
    };
}

/// The key of an attribute, encoded at compile time.
#[doc(hidden)]
#[macro_export]
macro_rules! __key {
    ($key:expr) => {
        const { &$crate::__private::Key::new($key) }
    };
}

/// The outcome of a value, by its type; with `error_if`, only an `Err` that satisfies it counts. The
/// method is given, so that a mistake is at the place of the value's type.
#[doc(hidden)]
#[macro_export]
macro_rules! __outcome {
    ($value:expr, $method:ident) => {{
        use $crate::__private::probe::*;
        AsFuture::of($value).$method()
    }};
    ($value:expr, $method:ident, $error_if:expr) => {
        if $crate::__private::failure::expected($value, $error_if) {
            $crate::__private::Outcome::unset($value)
        } else {
            $crate::__outcome!($value, $method)
        }
    };
}

/// The response that a value is or holds, for a span of this kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __response {
    ($kind:ident, $value:expr) => {{
        use $crate::__private::probe::*;
        let kind = $crate::SpanKind::$kind;
        let value = AsResult::of($value).spandrel_success();
        let value = AsMessage::of(&value).spandrel_value(&kind);
        let error = AsResult::of($value).spandrel_failure();
        let error = AsMessage::of(&error).spandrel_error(&kind);
        Response::new(kind, value.or(error))
    }};
}

/// An outcome with the success value: what is in an `Ok`, or any value that is no `Result`.
#[doc(hidden)]
#[macro_export]
macro_rules! __observed {
    ($value:expr, $outcome:expr) => {
        $crate::__private::probe::Observed {
            success: $crate::__succeeded!(@success $value),
            outcome: $outcome,
        }
    };
}

/// As `observed`, without asking for the failure.
#[doc(hidden)]
#[macro_export]
macro_rules! __succeeded {
    ($value:expr) => {
        $crate::__private::probe::Observed {
            success: $crate::__succeeded!(@success $value),
            outcome: $crate::__private::Outcome::unset($value),
        }
    };
    (@success $value:expr) => {{
        use $crate::__private::probe::*;
        AsResult::of($value).spandrel_success()
    }};
}

/// Ends a span by the value that a function returns, or hands it to what is in a box.
#[doc(hidden)]
#[macro_export]
macro_rules! __end {
    ($span:expr, $value:ident, $outcome:expr) => {{
        use $crate::__private::returned::*;
        (&&Returned::of(&$value)).spandrel_end($span, $value, $outcome)
    }};
}

/// Ends the span of a block by its value. Not a call: where the value is never there, the compiler would
/// call that unreachable.
#[doc(hidden)]
#[macro_export]
macro_rules! __end_block {
    ($block:ident, $value:ident, $outcome:expr) => {
        $block.end(&$value, $outcome);
    };
}

/// The blocks that were left in the frame that runs were left by nothing bad. Not a call, as above.
#[doc(hidden)]
#[macro_export]
macro_rules! __end_exited {
    () => {
        $crate::__private::end_exited_blocks();
    };
}

/// As `end`, for a function that returns an opaque type: a future, a stream, or a value.
#[doc(hidden)]
#[macro_export]
macro_rules! __follow {
    ($span:expr, $value:ident, $outcome:expr) => {{
        use $crate::__private::returned::*;
        (&&&Returned::of(&$value)).spandrel_follow($span, $value, $outcome)
    }};
}

/// The context in a carrier. The method is given, so that a mistake is at the carrier's place.
#[doc(hidden)]
#[macro_export]
macro_rules! __extract {
    ($carrier:expr, $method:ident) => {{
        use $crate::__private::carrier::{
            Extracts1 as _, Extracts2 as _, Extracts3 as _, ExtractsItself as _, ExtractsMap as _,
            ExtractsNothing as _, LinksEach as _,
        };
        (&&&&&&&$crate::__private::carrier::Extraction(&($carrier))).$method()
    }};
}

/// The contexts in a carrier or in a list of carriers, and nothing else: where there is none, no link.
#[doc(hidden)]
#[macro_export]
macro_rules! __linked {
    ($carrier:expr, $method:ident) => {
        $crate::__private::detached(|| $crate::__extract!($carrier, $method))
    };
}

/// Writes the current context into a carrier.
#[doc(hidden)]
#[macro_export]
macro_rules! __inject {
    ($carrier:expr, $method:ident) => {{
        use $crate::__private::carrier::{
            CarrierPlace as _, Injects1 as _, Injects2 as _, Injects3 as _, InjectsItself as _,
            InjectsMap as _, InjectsNothing as _,
        };
        (&&&&&&$crate::__private::carrier::Injection::of(($carrier).spandrel_place())).$method()
    }};
}
