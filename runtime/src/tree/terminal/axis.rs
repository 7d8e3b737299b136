//! When something happened: a mark on the time that the whole trace took.

use std::time::SystemTime;

use opentelemetry_sdk::trace::SpanData;

use super::ink::{Ink, style};

/// From the first start to the last end, in halves of a column.
pub(super) struct Axis {
    start: SystemTime,
    nanos: u128,
    pub(super) columns: usize,
}

/// What is marked on the axis.
pub(super) enum AxisMark {
    Span { start: SystemTime, end: SystemTime, failed: bool },
    Folded { start: SystemTime, end: SystemTime },
    Event(SystemTime),
}

impl Axis {
    /// A span that is alone takes all of the time: that need not be drawn.
    pub(super) fn of(spans: &[SpanData], columns: usize) -> Option<Self> {
        let start = spans.iter().map(|span| span.start_time).min()?;
        let end = spans.iter().map(|span| span.end_time).max()?;
        (spans.len() > 1).then(|| Self { start, nanos: nanos(start, end), columns })
    }

    pub(super) fn draw(&self, mark: &AxisMark, ink: &mut Ink) {
        match mark {
            AxisMark::Span { start, end, failed } => {
                let colour = if *failed { style::RED } else { style::CYAN };
                self.bar(*start, *end, ["━", "╸", "╺"], colour, ink);
            }
            AxisMark::Folded { start, end } => {
                self.bar(*start, *end, ["─", "╴", "╶"], style::DIM, ink);
            }
            AxisMark::Event(time) => {
                let column = (self.halves(*time) / 2).min(self.columns - 1);
                ink.space(column).write(style::YELLOW, "•");
            }
        }
    }

    fn bar(
        &self,
        start: SystemTime,
        end: SystemTime,
        [both, left, right]: [&str; 3],
        colour: &str,
        ink: &mut Ink,
    ) {
        let from = self.halves(start).min(2 * self.columns - 1);
        let to = self.halves(end).max(from + 1);
        let columns = from / 2..to.div_ceil(2);
        ink.space(columns.start);
        let halves = columns.map(|column| match (from <= 2 * column, 2 * column + 1 < to) {
            (true, true) => both,
            (true, false) => left,
            (false, _) => right,
        });
        ink.write(colour, &halves.collect::<String>());
    }

    /// The place of a time on the axis, the nearest one when it is outside.
    fn halves(&self, time: SystemTime) -> usize {
        let halves = 2 * self.columns as u128;
        let after = nanos(self.start, time).min(self.nanos);
        let place = (2 * after * halves + self.nanos) / (2 * self.nanos).max(1);
        usize::try_from(place).unwrap_or_default()
    }
}

fn nanos(from: SystemTime, to: SystemTime) -> u128 {
    to.duration_since(from).unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn bar(start: u64, end: u64) -> String {
        let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let axis = Axis { start: time(100), nanos: 100_000_000_000, columns: 10 };
        let mut ink = Ink::new(false);
        axis.draw(&AxisMark::Span { start: time(start), end: time(end), failed: false }, &mut ink);
        ink.text
    }

    #[test]
    fn half_columns_are_told_apart() {
        assert_eq!(bar(100, 200), "━━━━━━━━━━");
        assert_eq!(bar(100, 125), "━━╸");
        assert_eq!(bar(125, 150), "  ╺━━");
        assert_eq!(bar(125, 130), "  ╺");
    }

    #[test]
    fn everything_can_be_seen() {
        assert_eq!(bar(100, 100), "╸");
        assert_eq!(bar(200, 200), "         ╺");
    }

    #[test]
    fn clocks_that_are_set_back_do_no_harm() {
        assert_eq!(bar(180, 120), "        ╸");
        assert_eq!(bar(20, 150), "━━━━━");
        assert_eq!(bar(150, 500), "     ━━━━━");
        assert_eq!(bar(500, 400), "         ╺");
    }
}
