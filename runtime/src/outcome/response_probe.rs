//! The status of a value that is a response, or holds one, found by its type as in [`probe`](super::probe).

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Display;

use opentelemetry::trace::SpanKind;

use super::probe::{AsMessage, AsResponse, AsResult, Probe};
pub use super::response_status::Response;
use super::response_status::{ErrorMessage, ResponseStatus, Returned, ToResponseStatus};
use crate::attribute::text;

fn status<T: ToResponseStatus + ?Sized>(value: &T, kind: &SpanKind) -> Option<ResponseStatus> {
    match kind {
        SpanKind::Client => value.to_received_status(),
        _ => value.to_response_status(),
    }
}

/// What is, or is not, a response.
pub trait IsResponse<'a> {
    /// Its status as a value, on a span of this kind.
    fn spandrel_value(&self, kind: &SpanKind) -> Option<Returned<'a>>;

    /// Its status as an error, on a span of this kind.
    fn spandrel_error(&self, kind: &SpanKind) -> Option<Returned<'a>>;
}

impl<'a, T: ToResponseStatus> IsResponse<'a> for AsResponse<'_, Option<&'a T>> {
    fn spandrel_value(&self, kind: &SpanKind) -> Option<Returned<'a>> {
        let value: &Probe<'_, Option<&'a T>> = self;
        status((*value.value())?, kind).map(Returned::Value)
    }

    fn spandrel_error(&self, kind: &SpanKind) -> Option<Returned<'a>> {
        let value: &Probe<'_, Option<&'a T>> = self;
        let error = (*value.value())?;
        Some(Returned::Error(status(error, kind)?, error.spandrel_message()))
    }
}

/// A status with a text, as axum's handlers return it.
pub trait IsMessage<'a> {
    /// As `IsResponse`'s.
    fn spandrel_error(&self, kind: &SpanKind) -> Option<Returned<'a>>;
}

impl<'a, S: ToResponseStatus, D: Display> IsMessage<'a> for AsMessage<'_, Option<&'a (S, D)>> {
    fn spandrel_error(&self, kind: &SpanKind) -> Option<Returned<'a>> {
        let value: &Probe<'_, Option<&'a (S, D)>> = self;
        let (response, message) = (*value.value())?;
        let message = ErrorMessage::Text(Cow::Owned(text(format_args!("{message}"))));
        Some(Returned::Error(status(response, kind)?, message))
    }
}

/// Anything else.
pub trait IsNoResponse {
    /// Nothing.
    fn spandrel_value(&self, _: &SpanKind) -> Option<Returned<'static>> {
        None
    }

    /// Nothing.
    fn spandrel_error(&self, _: &SpanKind) -> Option<Returned<'static>> {
        None
    }
}

impl<T> IsNoResponse for Probe<'_, T> {}

/// The error of a `Result`.
pub trait MayFail<'a, E> {
    /// The error, if it is one.
    fn spandrel_failure(&self) -> Option<&'a E>;
}

impl<'a, T, E> MayFail<'a, E> for AsResult<'a, Result<T, E>> {
    fn spandrel_failure(&self) -> Option<&'a E> {
        let value: &Probe<'a, _> = self;
        value.value().as_ref().err()
    }
}

/// Anything else has no error.
pub trait NeverFails {
    /// Nothing.
    fn spandrel_failure(&self) -> Option<&'static Infallible> {
        None
    }
}

impl<T> NeverFails for Probe<'_, T> {}
