//! Draws 64×64 pictures from a few words: a small diffusion model, trained in
//! this repository, whose weights are part of the binary.
//!
//! ```no_run
//! use text_to_image::{Backend, Pipeline, Request};
//!
//! # fn main() -> Result<(), text_to_image::Error> {
//! let pipeline = Pipeline::load(&Backend::open(Default::default())?)?;
//! let prompt = pipeline.prompt("red heart")?;
//! let request = Request::new(prompt, 7, 2.0)?;
//! let mut denoising = pipeline.start(&[request], 20)?;
//! while denoising.remaining() > 0 {
//!     denoising.step();
//! }
//! denoising.finish()?[0].save("heart.png", 4)?;
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels and counts, all small"
)]

mod backend;
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

pub use backend::{Backend, Choice};
pub use error::Error;
pub use picture::{Picture, SIDE};
pub use pipeline::{Denoising, MAX_GUIDANCE, MAX_PICTURES, MAX_STEPS, Pipeline, Request};
pub use text::Prompt;
