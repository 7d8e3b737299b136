//! What can go wrong with an order, and what HTTP calls it.

use std::io;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is no order {0}")]
    Unknown(i64),
    #[error("there are not {quantity} of `{item}` left")]
    OutOfStock { item: String, quantity: i64 },
    #[error("the payment was declined")]
    Declined,
    #[error("no payment")]
    Payments(#[from] reqwest::Error),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the queue failed")]
    Queue(#[from] redis::RedisError),
    #[error("the broker failed")]
    Broker(#[from] rdkafka::error::KafkaError),
    #[error("a message that is no order's")]
    Message,
    #[error("`{0}` was never ready; its last words are above")]
    NeverReady(&'static str),
    #[error("order {0} was placed, and not packed and mailed in time")]
    Stuck(i64),
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::OutOfStock { .. } => StatusCode::CONFLICT,
            Self::Declined => StatusCode::PAYMENT_REQUIRED,
            Self::Payments(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// To a server, a 4xx is no error: it is the client's.
    pub(crate) fn is_ours(&self) -> bool {
        self.status().is_server_error()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status(), Json(json!({ "error": self.to_string() }))).into_response()
    }
}
