//! How long something took, for people.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// A duration with three digits that matter, or two units from a minute on.
pub(super) struct Taken(pub(super) Duration);

impl Display for Taken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (large, small) = match seconds {
            0..60 => return below_a_minute(f, self.0),
            60..3_600 => ((seconds / 60, "m"), (seconds % 60, "s")),
            3_600..86_400 => ((seconds / 3_600, "h"), (seconds / 60 % 60, "m")),
            _ => ((seconds / 86_400, "d"), (seconds / 3_600 % 24, "h")),
        };
        write!(f, "{}{} {:02}{}", large.0, large.1, small.0, small.1)
    }
}

fn below_a_minute(f: &mut Formatter<'_>, taken: Duration) -> fmt::Result {
    let nanos = taken.as_secs_f64() * 1e9;
    // What would round up to the next unit belongs to that.
    let (value, unit) = match nanos {
        n if n < 999.5 => return write!(f, "{n:.0} ns"),
        n if n < 999.5e3 => (n / 1e3, "µs"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    write!(f, "{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_matter() {
        let shown = |nanos| Taken(Duration::from_nanos(nanos)).to_string();
        assert_eq!(shown(0), "0 ns");
        assert_eq!(shown(999), "999 ns");
        assert_eq!(shown(1_000), "1.00 µs");
        assert_eq!(shown(9_996), "10.0 µs");
        assert_eq!(shown(999_900), "1.00 ms");
        assert_eq!(shown(165_400_000), "165 ms");
        assert_eq!(shown(59_900_000_000), "59.9 s");
    }

    #[test]
    fn long_ones_have_two_units() {
        let shown = |seconds| Taken(Duration::from_secs(seconds)).to_string();
        assert_eq!(shown(60), "1m 00s");
        assert_eq!(shown(3_725), "1h 02m");
        assert_eq!(shown(200_000), "2d 07h");
    }
}
