//! The status of a response, and what it means for a span.

use std::borrow::Cow;

use opentelemetry::trace::SpanKind;

use super::{Failure, Outcome};
use crate::encoding::ValueRef;

/// The status of a response.
///
/// On a span with `kind(server)` or `kind(client)` the status decides whether the span failed, as the semantic
/// conventions for [HTTP] and [gRPC] say:
///
/// | | `server` | `client` |
/// | --- | --- | --- |
/// | HTTP | 500 and above | 400 and above |
/// | gRPC | `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS` | all but `OK` |
///
/// The span records the status as `http.response.status_code` (a number) or as `rpc.response.status_code` (gRPC's
/// name for it), and the same text as `error.type` if the span failed.
///
/// [HTTP]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
/// [gRPC]: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseStatus {
    /// A status code of HTTP, such as 404.
    Http(u16),
    /// A status code of gRPC, from 0 to 16.
    Grpc(i32),
}

/// A type that is the response to a request, or decides its status: on a span with `kind(server)` or
/// `kind(client)`, [`ResponseStatus`] says what the status means.
///
/// With the feature `http` it is implemented for `http::StatusCode`, `http::Response` and `http::response::Parts`,
/// with `tonic` for `tonic::Status` and `tonic::Response`, with `reqwest` for `reqwest::Response` and
/// `reqwest::Error`, and for tuples of up to eight values that begin with one of these. A function returns the type
/// itself, or a `Result` of it, as its value or as its error. Implement the trait for an error type of your own:
///
/// ```
/// use spandrel::{ResponseStatus, ToResponseStatus, span, testing};
///
/// #[derive(Debug)]
/// enum Failure {
///     NoSuchOrder,
///     Database,
/// }
///
/// impl ToResponseStatus for Failure {
///     fn to_response_status(&self) -> Option<ResponseStatus> {
///         Some(ResponseStatus::Http(match self {
///             Self::NoSuchOrder => 404,
///             Self::Database => 500,
///         }))
///     }
/// }
///
/// #[span("GET /orders/{id}", kind(server))]
/// fn order(id: u64) -> Result<String, Failure> {
///     Err(if id == 0 { Failure::Database } else { Failure::NoSuchOrder })
/// }
///
/// let recording = testing::record(|| order(7));
/// assert_eq!(recording.to_string(), "GET /orders/{id} [server] http.response.status_code=404\n");
/// let recording = testing::record(|| order(0));
/// assert!(recording.to_string().contains("error.type=\"500\" ✗ Database"));
/// ```
pub trait ToResponseStatus {
    /// The status; `None` if the value does not decide it. Then the span's status is the same as without this trait.
    fn to_response_status(&self) -> Option<ResponseStatus>;

    /// The status for a span with `kind(client)`, if it is another: an error of an HTTP client has the status of
    /// the response that the client got, and says nothing about the response that a server gives.
    fn to_received_status(&self) -> Option<ResponseStatus> {
        self.to_response_status()
    }

    /// What a failed span says about this error beside the status.
    #[doc(hidden)]
    fn spandrel_message(&self) -> ErrorMessage<'_> {
        ErrorMessage::OfType
    }
}

/// What a failed span says about an error that is a response.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorMessage<'a> {
    /// What the span says of any error of this type.
    OfType,
    /// Nothing: the status says it all.
    Nothing,
    /// This text.
    Text(Cow<'a, str>),
}

/// A response that a function returned: as its value, or as its error.
#[doc(hidden)]
#[derive(Debug)]
pub enum Returned<'a> {
    /// As its value.
    Value(ResponseStatus),
    /// As its error, and what a failed span says about it.
    Error(ResponseStatus, ErrorMessage<'a>),
}

/// The response that a function returned in a span of a kind, if it returned one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Response<'a> {
    kind: SpanKind,
    returned: Option<Returned<'a>>,
}

impl<'a> Response<'a> {
    /// On a span of this kind.
    pub fn new(kind: SpanKind, returned: Option<Returned<'a>>) -> Self {
        Self { kind, returned }
    }
}

impl ResponseStatus {
    /// Whether the status is an error on a span of this kind; `None` if the conventions do not say, for kinds other
    /// than `server` and `client`.
    pub fn is_error(self, kind: &SpanKind) -> Option<bool> {
        /// The codes that are the fault of the server.
        const GRPC_SERVER_ERRORS: [i32; 6] = [2, 4, 12, 13, 14, 15];

        match (self, kind) {
            // No status of HTTP is less than 100.
            (Self::Http(code), SpanKind::Server) => Some(!(100..500).contains(&code)),
            (Self::Http(code), SpanKind::Client) => Some(!(100..400).contains(&code)),
            (Self::Grpc(code), SpanKind::Server) => {
                // A code that gRPC does not have counts as `UNKNOWN`.
                let is_known = (0..=16).contains(&code);
                Some(!is_known || GRPC_SERVER_ERRORS.contains(&code))
            }
            (Self::Grpc(code), SpanKind::Client) => Some(code != 0),
            _ => None,
        }
    }

    /// The code, as `error.type` and `rpc.response.status_code` have it.
    fn text(self) -> Cow<'static, str> {
        const GRPC_NAMES: [&str; 17] = [
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ];

        let name = |code| GRPC_NAMES.get(usize::try_from(code).ok()?);
        match self {
            Self::Http(code) => code.to_string().into(),
            Self::Grpc(code) => {
                name(code).map_or_else(|| code.to_string().into(), |&name| name.into())
            }
        }
    }
}

impl Failure {
    fn describe(&mut self, message: ErrorMessage<'_>) {
        match message {
            ErrorMessage::OfType => {}
            ErrorMessage::Text(text) => self.message = Some(text.into_owned()),
            ErrorMessage::Nothing => *self = Self::default(),
        }
    }
}

impl Outcome {
    /// Decides by the status of the response that a value is whether a span of this kind failed, and records the
    /// status. For kinds other than `server` and `client` the outcome stays as it is.
    ///
    /// ```
    /// use spandrel::{Callsite, Outcome, ResponseStatus, SpanKind, testing};
    ///
    /// static SERVE: Callsite = Callsite::new("serve", SpanKind::Server, "my-crate", None);
    ///
    /// let outcome = |status: &u16| {
    ///     Outcome::unset(status).with_status(ResponseStatus::Http(*status), &SpanKind::Server)
    /// };
    /// let recording = testing::record(|| SERVE.start(|_| ()).run(|| 503_u16, outcome));
    /// let tree = "serve [server] http.response.status_code=503 error.type=\"503\" ✗\n";
    /// assert_eq!(recording.to_string(), tree);
    /// ```
    pub fn with_status(mut self, status: ResponseStatus, kind: &SpanKind) -> Self {
        let Some(is_error) = status.is_error(kind) else { return self };
        if !is_error {
            self.failure = None;
        } else if self.failure.is_none() {
            self.failure = Some(Box::default());
        }
        self.named_by(status)
    }

    /// The outcome of a value that is a response, or holds one.
    #[doc(hidden)]
    pub fn of_response(self, response: Response<'_>) -> Self {
        let Response { kind, returned } = response;
        match returned {
            None => self,
            Some(Returned::Value(status)) => self.with_status(status, &kind),
            Some(Returned::Error(status, message)) => {
                self.described(message).with_status(status, &kind)
            }
        }
    }

    /// The same for a span with `error_if`, which decides about errors.
    #[doc(hidden)]
    pub fn of_response_or_decided(self, response: Response<'_>) -> Self {
        match response.returned {
            Some(Returned::Error(status, message)) => self.described(message).named_by(status),
            _ => self.of_response(response),
        }
    }

    fn described(mut self, message: ErrorMessage<'_>) -> Self {
        if let Some(failure) = &mut self.failure {
            failure.describe(message);
        }
        self
    }

    /// Records the status, and takes the name of a failure from it.
    fn named_by(mut self, status: ResponseStatus) -> Self {
        let text = status.text();
        let attributes = self.attributes.get_or_insert_default();
        match status {
            ResponseStatus::Http(code) => {
                attributes.push("http.response.status_code", ValueRef::I64(code.into()));
            }
            ResponseStatus::Grpc(_) => {
                attributes.push("rpc.response.status_code", ValueRef::Text(&text));
            }
        }
        if let Some(failure) = &mut self.failure {
            failure.error_type = text;
        }
        self
    }
}

macro_rules! tuples {
    ($($($name:ident)*;)*) => {$(
        /// A response that begins with a status.
        impl<S: ToResponseStatus, $($name),*> ToResponseStatus for (S, $($name),*) {
            fn to_response_status(&self) -> Option<ResponseStatus> {
                self.0.to_response_status()
            }

            fn to_received_status(&self) -> Option<ResponseStatus> {
                self.0.to_received_status()
            }

            fn spandrel_message(&self) -> ErrorMessage<'_> {
                self.0.spandrel_message()
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
}

impl<T: ToResponseStatus + ?Sized> ToResponseStatus for &T {
    fn to_response_status(&self) -> Option<ResponseStatus> {
        (**self).to_response_status()
    }

    fn to_received_status(&self) -> Option<ResponseStatus> {
        (**self).to_received_status()
    }

    fn spandrel_message(&self) -> ErrorMessage<'_> {
        (**self).spandrel_message()
    }
}
