//! `--backend`: where the model runs.

use clap::{Args, ValueEnum};
use text_to_image::{Backend, Choice, Error};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the model runs
    #[arg(long, value_enum, default_value = "auto")]
    backend: Name,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    /// CUDA where there is a device, else the CPU
    Auto,
    Cpu,
    Cuda,
}

impl Arguments {
    /// Says on standard error what was found.
    pub(crate) fn open(&self) -> Result<Backend, Error> {
        let backend = Backend::open(match self.backend {
            Name::Auto => Choice::Auto,
            Name::Cpu => Choice::Cpu,
            Name::Cuda => Choice::Cuda,
        })?;
        eprintln!("text-to-image: runs on {backend}");
        Ok(backend)
    }
}
