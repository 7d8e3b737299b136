//! Draws 32×32 pictures from a few words: a small diffusion model, trained in
//! this repository, whose weights are part of the binary.
//!
//! ```no_run
//! use text_to_image::{Pipeline, Prompt, backend};
//!
//! # fn main() -> Result<(), text_to_image::Error> {
//! let pipeline = Pipeline::load(backend::device()?)?;
//! let prompt = pipeline.prompt("red heart")?;
//! let mut denoising = pipeline.start(&prompt, 7, 2.0, 20)?;
//! while denoising.remaining() > 0 {
//!     denoising.step();
//! }
//! denoising.finish()?.save("heart.png", 8)?;
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels and counts, all small"
)]

pub mod backend;
pub mod data;
mod error;
mod flow;
mod model;
mod noise;
mod picture;
mod pipeline;
pub mod text;
pub mod train;
mod weights;

pub use error::Error;
pub use picture::{Picture, SIDE};
pub use pipeline::{Denoising, Pipeline};
pub use text::Prompt;
