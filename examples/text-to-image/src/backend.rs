//! Where the model runs: the CPU, or the first CUDA device in a build with the
//! `cuda` feature.

use burn::tensor::Device;

use crate::Error;

/// The device's name for people and traces: `cuda` or `cpu`.
pub const NAME: &str = if cfg!(feature = "cuda") { "cuda" } else { "cpu" };

/// The device of this build.
///
/// # Errors
///
/// [`Error::NoCudaDevice`] in a build with the `cuda` feature, where there is none.
pub fn device() -> Result<Device, Error> {
    find().ok_or(Error::NoCudaDevice)
}

#[cfg(feature = "cuda")]
fn find() -> Option<Device> {
    // `Device::default()` takes CUDA without asking whether there is any.
    Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec().into_iter().next()
}

#[cfg(not(feature = "cuda"))]
#[allow(clippy::unnecessary_wraps, reason = "a GPU may be missing, the CPU is not")]
fn find() -> Option<Device> {
    Some(Device::flex())
}
