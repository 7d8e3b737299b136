//! Messages on standard error.

use std::fmt::Display;

/// Writes one line to standard error. That may be closed, or a pipe that nobody reads: then the line is lost, and
/// nothing else changes.
pub(crate) fn say(message: impl Display) {
    write(format!("spandrel: {message}\n").as_bytes());
}

/// Not by the standard library, whose lock may be held by somebody who waits. Once standard error has not
/// been read for a second, it is no longer waited for, until it is read again.
#[cfg(all(unix, feature = "app"))]
fn write(line: &[u8]) {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    static STUCK: AtomicBool = AtomicBool::new(false);

    let stderr = rustix::stdio::stderr();
    let seconds = !STUCK.load(Ordering::Relaxed);
    let patience = Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], Some(&patience)) == Ok(1);
    STUCK.store(!ready, Ordering::Relaxed);
    if ready {
        let _ = rustix::io::write(stderr, line);
    }
}

/// Writes all of it to standard error, and waits as long as that takes; without the standard library's lock, which
/// a child of `fork` would inherit. Whether all was written: standard error may be closed.
#[cfg(all(unix, feature = "app"))]
pub(crate) fn write_all(mut text: &[u8]) -> bool {
    while !text.is_empty() {
        match rustix::io::write(rustix::stdio::stderr(), text) {
            Ok(0) => return false,
            Ok(written) => text = &text[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Err(_) => return false,
        }
    }
    true
}

#[cfg(all(not(unix), feature = "app"))]
pub(crate) fn write_all(text: &[u8]) -> bool {
    std::io::Write::write_all(&mut std::io::stderr(), text).is_ok()
}

#[cfg(not(all(unix, feature = "app")))]
fn write(line: &[u8]) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
}
