//! `--backend`: where the model runs.

use clap::Args;
use text_to_image::{Backend, Choice, Error};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the model runs
    #[arg(long, value_enum, default_value = "auto")]
    backend: Choice,
}

impl Arguments {
    /// Says on standard error what was found.
    pub(crate) fn open(&self) -> Result<Backend, Error> {
        let backend = Backend::open(self.backend)?;
        eprintln!("text-to-image: runs on {backend}");
        Ok(backend)
    }
}
