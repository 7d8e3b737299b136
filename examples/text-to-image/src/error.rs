use std::path::PathBuf;

use crate::pipeline::{MAX_GUIDANCE, MAX_PICTURES, MAX_STEPS};
use crate::text::{MAX_WORDS, SUGGESTIONS};

/// What can go wrong between a prompt and its picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// CUDA is asked for, and this build has none.
    #[error("this build has no CUDA; build with `--features cuda`, or ask for `auto` or `cpu`")]
    NoCudaBuild,
    /// CUDA is asked for, and this machine has none.
    #[error("no CUDA device was found; install the NVIDIA driver, or ask for `auto` or `cpu`")]
    NoCudaDevice,
    /// Not one word of the prompt was seen in training.
    #[error("no word of `{0}` is known; try {SUGGESTIONS}")]
    UnknownPrompt(String),
    /// The prompt has more than [`MAX_WORDS`] known words.
    #[error("{0} words of the prompt are known, at most {MAX_WORDS} can be drawn; shorten it")]
    LongPrompt(usize),
    /// A batch has 1 to [`MAX_PICTURES`] pictures.
    #[error("the number of pictures is {0}, it must be 1 to {MAX_PICTURES}")]
    Pictures(usize),
    /// A picture takes 1 to [`MAX_STEPS`] steps.
    #[error("the number of steps is {0}, it must be 1 to {MAX_STEPS}")]
    Steps(usize),
    /// The guidance scale is 0 to [`MAX_GUIDANCE`].
    #[error("the guidance scale is {0}, it must be 0 to {MAX_GUIDANCE}")]
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
