//! Where the model runs: the CPU, or a CUDA device in a build with the `cuda` feature.

use std::fmt::{self, Display, Formatter};

use burn::tensor::{Device, FloatDType};
use clap::ValueEnum;

use crate::Error;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// CUDA where there is a device, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first CUDA device.
    Cuda,
}

/// A device, and how the model runs there.
#[derive(Debug, Clone)]
pub struct Backend {
    name: &'static str,
    device: Device,
    /// What the model calculates with.
    pub(crate) precision: FloatDType,
}

impl Backend {
    /// Finds the device.
    ///
    /// # Errors
    ///
    /// [`Error::NoCudaBuild`] and [`Error::NoCudaDevice`] where CUDA is asked for and there is none.
    pub fn open(choice: Choice) -> Result<Self, Error> {
        let cuda = match choice {
            Choice::Cpu => None,
            Choice::Auto => cuda().ok(),
            Choice::Cuda => Some(cuda()?),
        };
        Ok(cuda.unwrap_or_else(Self::cpu))
    }

    /// The CPU.
    #[must_use]
    pub fn cpu() -> Self {
        Self { name: "cpu", device: Device::flex(), precision: FloatDType::F32 }
    }

    /// `cuda` or `cpu`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The same in single precision, where [`open`](Self::open) would take half of it, to compare.
    #[must_use]
    pub fn in_single_precision(self) -> Self {
        Self { precision: FloatDType::F32, ..self }
    }
}

/// For people: what the model runs on, and why that is not CUDA.
impl Display for Backend {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.name, cfg!(feature = "cuda")) {
            ("cuda", _) => write!(f, "CUDA, on {}", part(&self.device)),
            (_, true) if cuda().is_err() => f.write_str("the CPU, for there is no CUDA device"),
            (_, true) => f.write_str("the CPU"),
            (_, false) => f.write_str("the CPU; CUDA needs a build with `--features cuda`"),
        }
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Backend, Error> {
    // `Device::default()` takes CUDA without asking whether there is any.
    let devices = Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec();
    let device = devices.into_iter().next().ok_or(Error::NoCudaDevice)?;
    Ok(Backend { name: "cuda", device, precision: FloatDType::BF16 })
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Backend, Error> {
    Err(Error::NoCudaBuild)
}

#[cfg(feature = "cuda")]
fn part(device: &Device) -> String {
    device.identity().map_or_else(|| "an unnamed device".to_owned(), |identity| identity.name)
}

#[cfg(not(feature = "cuda"))]
fn part(_: &Device) -> String {
    String::new()
}
