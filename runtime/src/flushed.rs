//! The result of a flush.

use std::fmt::{self, Display, Formatter};

/// What a [`flush`](crate::flush) came to.
///
/// ```
/// use std::time::Duration;
///
/// let flushed = spandrel::flush(Duration::from_secs(2));
/// if !flushed.is_complete() {
///     eprintln!("{flushed}");
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// The number of spans that were lost since the flush before, or since telemetry was set up: they were
    /// refused, or dropped for want of room or of time.
    pub lost: u64,
    /// Whether time ran out: some of the spans that had ended are still to be exported.
    pub timed_out: bool,
}

impl Flushed {
    /// Whether every span has arrived that had ended since the flush before.
    pub fn is_complete(self) -> bool {
        self.lost == 0 && !self.timed_out
    }
}

impl Display for Flushed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { lost, timed_out } = self;
        match (lost, timed_out) {
            (0, false) => f.write_str("all spans were exported"),
            (0, true) => f.write_str("time ran out before all spans were exported"),
            (lost, false) => write!(f, "{lost} spans were lost"),
            (lost, true) => {
                write!(
                    f,
                    "{lost} spans were lost, and time ran out before the others were exported"
                )
            }
        }
    }
}
