//! Why there is no picture.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use spandrel::TraceId;
use text_to_image::Error;

/// A reason, and the trace it arose in.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Failure {
    reason: Reason,
    trace_id: TraceId,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    #[error("{}; send an object like {{\"prompt\": \"red heart\"}}", .0.body_text())]
    Body(#[from] JsonRejection),
    #[error("num_inference_steps is {asked}, this server takes 1 to {most}")]
    Steps { asked: usize, most: usize },
    #[error("there is no trace `{0}`; it was not sampled here, or is no longer kept")]
    Trace(String),
    #[error("too many requests wait; try again in a second")]
    Busy,
    #[error("the model failed, the server's last words say why; try again")]
    Model,
    #[error(transparent)]
    Drawing(#[from] Error),
}

impl<R: Into<Reason>> From<R> for Failure {
    /// In the span of the request: it is over when this becomes a response.
    fn from(reason: R) -> Self {
        Self { reason: reason.into(), trace_id: spandrel::current_trace_id() }
    }
}

impl Failure {
    /// Whether the server is to blame, and not the request.
    pub(super) fn is_ours(&self) -> bool {
        self.reason.status().is_server_error()
    }
}

impl Reason {
    fn status(&self) -> StatusCode {
        match self {
            Self::Body(rejection) => rejection.status(),
            Self::Trace(_) => StatusCode::NOT_FOUND,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Steps { .. }
            | Self::Drawing(
                Error::UnknownPrompt(_)
                | Error::LongPrompt(_)
                | Error::Steps(_)
                | Error::Guidance(_),
            ) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Model | Self::Drawing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[derive(Serialize)]
struct Body {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let trace_id = (self.trace_id != TraceId::INVALID).then(|| self.trace_id.to_string());
        let body = Json(Body { error: self.to_string(), trace_id });
        match self.reason {
            Reason::Busy => (self.reason.status(), [(RETRY_AFTER, "1")], body).into_response(),
            _ => (self.reason.status(), body).into_response(),
        }
    }
}
