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

/// Writes all of it to standard error, and waits as long as that takes. Whether all was written: standard error may be
/// closed.
#[cfg(feature = "app")]
pub(crate) fn write_all(text: &[u8]) -> bool {
    #[cfg(unix)]
    let written = write_all_to(rustix::stdio::stderr(), text);
    #[cfg(not(unix))]
    let written = std::io::Write::write_all(&mut std::io::stderr(), text);
    written.is_ok()
}

/// Writes all of it to standard output, and waits as long as that takes.
#[cfg(feature = "json")]
pub(crate) fn write_all_to_stdout(text: &[u8]) -> std::io::Result<()> {
    #[cfg(unix)]
    return write_all_to(rustix::stdio::stdout(), text);
    #[cfg(not(unix))]
    return std::io::Write::write_all(&mut std::io::stdout(), text);
}

/// Writes without the standard library's lock, which a child of `fork` would inherit.
#[cfg(all(unix, feature = "app"))]
fn write_all_to(stream: rustix::fd::BorrowedFd<'_>, mut text: &[u8]) -> std::io::Result<()> {
    while !text.is_empty() {
        match rustix::io::write(stream, text) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(written) => text = &text[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(not(all(unix, feature = "app")))]
fn write(line: &[u8]) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line);
}
