#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod name;
mod window;

use std::borrow::Cow;

use spandrel::device::Timing;

pub use window::Window;

/// A device of burn's, as `device(…)` of [`span`](macro@spandrel::span) takes it.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use spandrel::span;
///
/// struct Pipeline {
///     device: Device,
/// }
///
/// impl Pipeline {
///     #[span("noise", device(spandrel_burn::of(&self.device)))]
///     fn noise(&self) -> Tensor<2> {
///         Tensor::ones([64, 64], &self.device)
///     }
/// }
/// # Pipeline { device: Device::flex() }.noise();
/// ```
pub fn of(device: &burn_tensor::Device) -> Device {
    Device(device.clone())
}

/// A device of burn's: see [`of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device(burn_tensor::Device);

impl From<burn_tensor::Device> for Device {
    fn from(device: burn_tensor::Device) -> Self {
        Self(device)
    }
}

impl spandrel::Device for Device {
    type Window = Window;

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(name::of(&self.0))
    }

    fn start(&self) -> Window {
        Window::open(self.0.clone())
    }

    fn finish(window: Window) -> Timing {
        window.close()
    }
}
