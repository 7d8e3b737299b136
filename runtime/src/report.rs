//! What is told on standard error.

use std::fmt::Display;

/// As much of a text from elsewhere is told.
const LONGEST: usize = 200;

/// One line. Standard error may be closed, or a pipe that nobody reads: then there is nobody to
/// tell, and nothing else changes.
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

#[cfg(not(all(unix, feature = "app")))]
fn write(line: &[u8]) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
}

/// A text from elsewhere, fit to be part of a line.
pub(crate) fn line(text: &str) -> String {
    let mut chars = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}
