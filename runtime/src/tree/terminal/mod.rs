//! The drawing of a trace: who called whom, how long it took and when, what failed.

mod axis;
mod capabilities;
mod exception;
mod ink;
mod line;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter};

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

use axis::Axis;
use ink::{Ink, style};
use line::{Line, Pen};
use rows::{Item, Row, rows};

pub(crate) use capabilities::Capabilities;

/// Spans of one trace, each on a line of its own with what belongs to it below.
pub(crate) struct Drawing<'a> {
    pub(crate) spans: &'a [SpanData],
    pub(crate) capabilities: Capabilities,
}

impl Display for Drawing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Capabilities { colours, width } = self.capabilities;
        let pen = Pen { colours, deepest: width / 10 };
        let rows = rows(self.spans, pen.deepest);
        let first_apart = rows.iter().position(Row::is_apart);
        let lines: Vec<Line> = rows
            .iter()
            .enumerate()
            .flat_map(|(index, row)| pen.lines(row, first_apart == Some(index)))
            .collect();
        let columns = Columns::of(&lines, width, Axis::of(self.spans, width / 4));
        lines.into_iter().try_for_each(|line| writeln!(f, "{}", columns.align(line, colours).text))
    }
}

impl Row<'_> {
    /// Whether the parent is of another process, or was drawn before.
    fn is_apart(&self) -> bool {
        let Item::Span { span, .. } = self.item else { return false };
        self.lead.depth == 0 && span.parent_span_id != SpanId::INVALID
    }
}

/// How wide the columns are. What does not fit moves the rest of its line to the right.
struct Columns {
    name: usize,
    time: usize,
    axis: Option<Axis>,
}

impl Columns {
    fn of(lines: &[Line], width: usize, axis: Option<Axis>) -> Self {
        let times = lines.iter().filter_map(|line| match line {
            Line::Columns { time, .. } => Some(time.chars().count()),
            _ => None,
        });
        let time = times.max().unwrap_or_default().max("9.99 ms".len());
        let names = lines.iter().filter_map(|line| match line {
            Line::Columns { name, .. } => Some(name.width),
            Line::Folded { text, .. } => Some(text.width.saturating_sub(1 + time)),
            Line::Text(_) => None,
        });
        let name = names.filter(|name| *name <= width / 2).max().unwrap_or_default();
        Self { name, time, axis }
    }

    fn align(&self, line: Line, colours: bool) -> Ink {
        let (mut ink, mark, rest) = match line {
            Line::Text(text) => return text,
            Line::Folded { text, mark } => (text, mark, Ink::new(colours)),
            Line::Columns { mut name, time, mark, rest } => {
                let before = 1 + self.time - time.chars().count();
                name.pad(self.name).space(before).write(style::PLAIN, &time);
                (name, mark, rest)
            }
        };
        if let Some(axis) = &self.axis {
            ink.pad(self.name + 1 + self.time).space(1);
            let end = ink.width + axis.columns;
            axis.draw(&mark, &mut ink);
            if rest.width > 0 {
                ink.pad(end);
            }
        }
        ink.append(rest)
    }
}
