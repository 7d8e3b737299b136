//! The result of a flush.

use std::fmt::{self, Display, Formatter};

/// The result of a [`flush`](crate::flush).
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
    /// How many spans were lost since the previous flush, or since telemetry was set up: the collector rejected
    /// them, the queue was full, or time ran out.
    pub lost: u64,
    /// Whether time ran out: some of the spans that had ended are still to be exported.
    pub timed_out: bool,
}

impl Flushed {
    /// Whether no span was lost since the previous flush, and every span that had ended was exported in time.
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
            (1, false) => f.write_str("1 span was lost"),
            (lost, false) => write!(f, "{lost} spans were lost"),
            (lost, true) => {
                write!(f, "spans lost: {lost}; time ran out before the others were exported")
            }
        }
    }
}
