//! What can go wrong between a prompt and its picture.

use std::io;
use std::process::ExitStatus;

use axum::http::StatusCode;

use crate::messages::Failure;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the prompt is empty; say what to draw, `red heart` for example")]
    EmptyPrompt,
    #[error("`{0}` is not the name of a file; name the picture, `picture.png` for example")]
    Key(String),
    #[error(transparent)]
    Drawing(#[from] text_to_image::Error),
    #[error("{0}; name a folder that is there and may be written to")]
    Upload(text_to_image::Error),
    #[error("the model's thread has ended, its last words are above; start the worker again")]
    ModelGone,
    #[error("{0}")]
    Refused(Failure),
    #[error("no answer from {url}; what ended it is said above, unless it was killed: try again")]
    NoAnswer { url: String, source: reqwest::Error },
    #[error("`{service}` was never ready ({status}), its last words are above")]
    Ended { service: &'static str, status: ExitStatus },
    #[error("interrupted before the picture was done")]
    Interrupted,
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Error {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::EmptyPrompt | Self::Key(_) | Self::Drawing(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(failure) => failure.status,
            Self::NoAnswer { .. } => StatusCode::BAD_GATEWAY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
