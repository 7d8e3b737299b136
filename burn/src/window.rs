//! Profiling windows of burn's, opened and closed apart.

use std::time::{Duration, Instant};

use burn_backend::{Backend, ProfileDuration, ProfileOptions, ProfileToken, TimingMethod};
use burn_dispatch::Dispatch;
use burn_tensor::Device;
use spandrel::device::{Measurement, Timing};

/// What cubecl reports of a window whose events it could not read.
const UNREADABLE: Duration = Duration::from_hours(1);

/// A window over a device's work.
#[derive(Debug)]
pub struct Window {
    device: Device,
    opened: Opened,
    /// A moment not after the window's start.
    epoch: Instant,
}

#[derive(Debug)]
enum Opened {
    Window(ProfileToken),
    /// The backend has no windows: it can only be waited for.
    Nothing,
    /// The device refuses one. What the matter is, the program hears from its own calls.
    Refused,
}

impl Window {
    pub(crate) fn open(device: Device) -> Self {
        let epoch = Instant::now();
        // What is still to be fused was not asked for in this window.
        let opened = device.flush().and_then(|()| Dispatch::profile_start(device.as_dispatch()));
        let opened = match opened {
            Ok(Some(token)) => Opened::Window(token),
            Ok(None) => Opened::Nothing,
            Err(_) => Opened::Refused,
        };
        Self { device, opened, epoch }
    }

    pub(crate) fn close(self) -> Timing {
        let Self { device, opened, epoch } = self;
        match opened {
            Opened::Window(token) => {
                let options = ProfileOptions::default().flush();
                let closed = Dispatch::profile_end(device.as_dispatch(), token, options);
                let memory = memory(&device);
                match closed {
                    Ok(window) => timing(window, epoch, memory),
                    Err(_) => Timing::unmeasured(),
                }
            }
            Opened::Nothing => match device.sync() {
                Ok(()) => Timing::synchronized(memory(&device)(Measurement::default())),
                Err(_) => Timing::unmeasured(),
            },
            Opened::Refused => Timing::unmeasured(),
        }
    }
}

fn timing(
    window: ProfileDuration,
    epoch: Instant,
    memory: impl FnOnce(Measurement) -> Measurement + Send + 'static,
) -> Timing {
    let waited = window.timing_method() == TimingMethod::System;
    let resolve = move || {
        let ticks = burn_std::future::block_on(window.resolve())?;
        let (time, end) = (ticks.duration(), epoch + ticks.end_duration_since(epoch));
        let start = end.checked_sub(time)?;
        (time != UNREADABLE).then(|| memory(Measurement::between(start, end)))
    };
    if waited {
        // Both ends of it were waited for, and it is there.
        resolve().map_or_else(Timing::unmeasured, Timing::synchronized)
    } else {
        Timing::pending(resolve)
    }
}

/// What the device's allocator holds now, to be told with the rest.
fn memory(device: &Device) -> impl FnOnce(Measurement) -> Measurement + Send + use<> {
    let usage = device.memory_pool_usage();
    move |measurement| match usage {
        Some(usage) => {
            measurement.memory_used(usage.bytes_in_use).memory_reserved(usage.bytes_reserved)
        }
        None => measurement,
    }
}
