use std::path::PathBuf;

use crate::text::SUGGESTIONS;

/// What can go wrong between a prompt and its picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The build is for CUDA and the machine is not.
    #[error(
        "no CUDA device was found; install the NVIDIA driver or build without `--features cuda`"
    )]
    NoCudaDevice,
    /// Not one word of the prompt was seen in training.
    #[error("no word of `{0}` is known; try {SUGGESTIONS}")]
    UnknownPrompt(String),
    /// A picture takes 1 to 1000 steps.
    #[error("the number of steps is {0}, it must be 1 to 1000")]
    Steps(usize),
    /// The guidance scale is 0 to 20.
    #[error("the guidance scale is {0}, it must be 0 to 20")]
    Guidance(f32),
    /// The picture was asked for before its last step.
    #[error("{0} steps of the picture are still to do; call `step` until `remaining` is 0")]
    Unfinished(usize),
    /// The weights do not fit the model, or a checkpoint is damaged.
    #[error("the weights cannot be used: {0}")]
    Weights(String),
    /// The training pictures cannot be read.
    #[error("the training set cannot be used: {0}")]
    Data(String),
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(String),
    /// A file cannot be read or written.
    #[error("`{path}`: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system, or the PNG encoder, says.
        reason: String,
    },
}

impl Error {
    /// What went wrong with a file.
    pub fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }
}
