//! Profiling windows of burn's, opened and closed apart.

use std::thread::{self, ThreadId};
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
    Window(Open),
    /// The backend has no windows: it can only be waited for.
    Nothing,
    /// The device refuses one. What the matter is, the program hears from its own calls.
    Refused,
}

/// A window of burn's. It costs something for as long as it is open: one that is dropped is given up.
#[derive(Debug)]
struct Open {
    device: Device,
    token: Option<ProfileToken>,
    /// Whose queue it is in.
    thread: ThreadId,
}

impl Window {
    pub(crate) fn open(device: Device) -> Self {
        let epoch = Instant::now();
        // What is still to be fused was not asked for in this window. Asking for this launches it;
        // to flush would do so too, but on CUDA wait for the device where something was uploaded.
        let _ = device.memory_pool_usage();
        let opened = match Dispatch::profile_start(device.as_dispatch()) {
            Ok(Some(token)) => Opened::Window(Open::of(device.clone(), token)),
            Ok(None) => Opened::Nothing,
            Err(_) => Opened::Refused,
        };
        Self { device, opened, epoch }
    }

    pub(crate) fn close(self) -> Timing {
        let Self { device, opened, epoch } = self;
        match opened {
            Opened::Window(open) => match open.end() {
                Some(window) => timing(window, epoch, memory(&device)),
                None => Timing::unmeasured(),
            },
            Opened::Nothing => match device.sync() {
                Ok(()) => Timing::synchronized(memory(&device)(Measurement::default())),
                Err(_) => Timing::unmeasured(),
            },
            Opened::Refused => Timing::unmeasured(),
        }
    }
}

impl Open {
    fn of(device: Device, token: ProfileToken) -> Self {
        Self { device, token: Some(token), thread: thread::current().id() }
    }

    /// `None` on another thread: what that has launched is in a queue of its own.
    fn end(mut self) -> Option<ProfileDuration> {
        if self.thread != thread::current().id() {
            return None;
        }
        let options = ProfileOptions::default().flush();
        Dispatch::profile_end(self.device.as_dispatch(), self.token.take()?, options).ok()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            Dispatch::profile_abandon(self.device.as_dispatch(), token);
        }
    }
}

fn timing(
    window: ProfileDuration,
    epoch: Instant,
    memory: impl FnOnce(Measurement) -> Measurement + Send + 'static,
) -> Timing {
    let waited = window.timing_method() == TimingMethod::System;
    let resolve = move || measured(window, epoch).map(memory);
    if waited {
        // Both ends of it were waited for, and it is there.
        resolve().map_or_else(Timing::unmeasured, Timing::synchronized)
    } else {
        Timing::pending(resolve)
    }
}

fn measured(window: ProfileDuration, epoch: Instant) -> Option<Measurement> {
    let ticks = burn_std::future::block_on(window.resolve())?;
    let (time, end) = (ticks.duration(), epoch + ticks.end_duration_since(epoch));
    let start = end.checked_sub(time)?;
    (time != UNREADABLE).then(|| Measurement::between(start, end))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(time: Duration) -> (ProfileDuration, Instant, Instant) {
        let start = Instant::now() + Duration::from_millis(1);
        let end = start + time;
        let ticks = ProfileDuration::new_system_time(start, end).into_future();
        (ProfileDuration::new(ticks, TimingMethod::Device), start, end)
    }

    #[test]
    fn a_window_is_where_the_device_says() {
        let epoch = Instant::now();
        let (window, start, end) = told(Duration::from_millis(20));
        assert_eq!(measured(window, epoch), Some(Measurement::between(start, end)));
    }

    #[test]
    fn a_window_that_could_not_be_read_is_not_measured() {
        let (window, ..) = told(UNREADABLE);
        assert_eq!(measured(window, Instant::now()), None);
        let nothing = ProfileDuration::new_device_time_maybe(async { None });
        assert_eq!(measured(nothing, Instant::now()), None);
    }

    #[test]
    fn a_window_is_given_up_on_another_thread() {
        let open = Open::of(burn::tensor::Device::flex(), ProfileToken { id: 1, opened_on: 0 });
        let elsewhere = thread::spawn(|| open.end().is_none());
        assert!(elsewhere.join().expect("it does not panic"));
    }

    #[test]
    fn what_a_device_tells_later_is_not_waited_for() {
        let pending = ProfileDuration::new_device_time_maybe(std::future::pending());
        assert_eq!(format!("{:?}", timing(pending, Instant::now(), |told| told)), "Pending");
    }

    #[test]
    fn what_was_waited_for_is_there() {
        let epoch = Instant::now();
        let end = epoch + Duration::from_millis(3);
        let window = ProfileDuration::new_system_time(epoch, end);
        let timing = timing(window, epoch, |told| told.memory_used(7));
        let told = Measurement::between(epoch, end).memory_used(7);
        assert_eq!(format!("{timing:?}"), format!("Synchronized({told:?})"));
        let unreadable = ProfileDuration::new_system_time(epoch, epoch + UNREADABLE);
        let timing = super::timing(unreadable, epoch, |told| told);
        assert_eq!(format!("{timing:?}"), "Unmeasured");
    }
}
