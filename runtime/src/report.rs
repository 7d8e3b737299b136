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

/// A text without characters that steer a terminal.
#[cfg(feature = "app")]
pub(crate) fn clean(text: &str) -> String {
    printable_chars(text).collect()
}

fn printable_chars(text: &str) -> impl Iterator<Item = char> {
    let steers = |c: char| {
        // The marks that set the direction of text could hide what comes after them.
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim().chars().map(move |c| if steers(c) { ' ' } else { c })
}

/// As much of a text from elsewhere as fits into a message, without characters that steer a terminal.
pub(crate) fn line(text: &str) -> String {
    let mut chars = printable_chars(text);
    let mut line: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}
