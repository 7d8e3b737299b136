//! What the services say to each other, as JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use spandrel::TraceContext;

use crate::error::Error;

/// A picture that is wanted: of the pipeline, and of the worker.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Input {
    pub(crate) prompt: String,
    pub(crate) num_inference_steps: usize,
    pub(crate) guidance_scale: f32,
    pub(crate) seed: u64,
    /// The name of the file in the worker's store.
    pub(crate) key: String,
    #[serde(default, skip_serializing_if = "TraceContext::is_empty")]
    pub(crate) trace_context: TraceContext,
}

/// Where it is.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Output {
    pub(crate) url: String,
    pub(crate) unknown_words: Vec<String>,
    pub(crate) trace_id: String,
}

/// Why there is none.
#[derive(Debug, Deserialize, Serialize, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Failure {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    pub(crate) error: String,
    pub(crate) trace_id: String,
}

impl From<Error> for Failure {
    /// Where the error leaves the service's span: that is still the current one.
    fn from(error: Error) -> Self {
        Self {
            status: error.status(),
            error: error.to_string(),
            trace_id: spandrel::current_trace_id().to_string(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}
