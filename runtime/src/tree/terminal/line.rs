//! The lines of a row: the span's own, its events, its causes.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, Status};
use opentelemetry_sdk::trace::SpanData;

use super::axis::AxisMark;
use super::exception::ExceptionText;
use super::ink::{Ink, style};
use super::rows::{Folded, Item, Row, taken};
use crate::tree::duration::Taken;
use crate::tree::trace_tree::Lead;
use crate::tree::{kind, value};

pub(super) enum Line {
    /// Name, duration, mark on the axis, all else.
    Columns {
        name: Ink,
        time: String,
        mark: AxisMark,
        rest: Ink,
    },
    /// A text in place of name and duration.
    Folded {
        text: Ink,
        mark: AxisMark,
    },
    Text(Ink),
}

/// Makes lines of rows.
pub(super) struct Pen {
    pub(super) colours: bool,
    /// Deeper rows are not further to the right: they say how deep they are.
    pub(super) deepest: usize,
}

impl Pen {
    /// `apart` says that this span's parent is drawn elsewhere.
    pub(super) fn lines(&self, row: &Row<'_>, apart: bool) -> Vec<Line> {
        match &row.item {
            Item::Folded(folded) => vec![self.folded(folded, &row.lead)],
            Item::Span { span, .. } => {
                let mut lines = vec![self.span(span, row, apart)];
                let below = row.lead.rest() + if row.parent { "│ " } else { "  " };
                self.links(span, &below, &mut lines);
                self.events(span, &below, &mut lines);
                lines
            }
        }
    }

    fn span(&self, span: &SpanData, row: &Row<'_>, apart: bool) -> Line {
        let lead = &row.lead;
        let failure = match &span.status {
            Status::Error { description } => Some(description),
            Status::Ok | Status::Unset => None,
        };
        let mut name = self.lead(lead);
        let name_style = match (lead.depth, failure) {
            (0, None) => style::BOLD,
            (0, Some(_)) => style::BOLD_RED,
            (_, None) => style::PLAIN,
            (_, Some(_)) => style::RED,
        };
        name.write(name_style, &span.name).write(style::DIM, kind(&span.span_kind));
        let mut rest = self.attributes(&span.attributes);
        if apart {
            rest.write(style::DIM, &format!(" in trace {}", span.span_context.trace_id()));
        }
        if let Some(description) = failure {
            rest.space(1).write(style::BOLD_RED, "✗");
            if !description.is_empty() && !row.told_below {
                rest.space(1).write(style::RED, description);
            }
        }
        let (start, end) = (span.start_time, span.end_time);
        let mark = AxisMark::Span { start, end, failed: failure.is_some() };
        Line::Columns { name, time: Taken(taken(span)).to_string(), mark, rest }
    }

    fn folded(&self, folded: &Folded<'_>, lead: &Lead) -> Line {
        let Folded { name, count, taken, start, end } = *folded;
        let mut text = self.lead(lead);
        text.write(style::DIM, &format!("… {count} more {name}, {} in all", Taken(taken)));
        Line::Folded { text, mark: AxisMark::Folded { start, end } }
    }

    fn links(&self, span: &SpanData, below: &str, lines: &mut Vec<Line>) {
        for Link { span_context: to, attributes, .. } in &span.links.links {
            let mut line = self.ink();
            line.write(style::DIM, below).write(style::YELLOW, "↪ ");
            let to = format!("link to {} in trace {}", to.span_id(), to.trace_id());
            line.write(style::PLAIN, &to);
            lines.push(Line::Text(line.append(self.attributes(attributes))));
        }
    }

    fn events(&self, span: &SpanData, below: &str, lines: &mut Vec<Line>) {
        for event in &span.events.events {
            let told = ExceptionText::of(span, event);
            if let Some(event) = told.event {
                let mut name = self.ink();
                name.write(style::DIM, below).write(style::YELLOW, "• ");
                name.write(style::PLAIN, &event.name);
                let time = match event.timestamp.duration_since(span.start_time) {
                    Ok(after) => format!("+{}", Taken(after)),
                    Err(before) => format!("-{}", Taken(before.duration())),
                };
                let rest = self.attributes(told.attributes);
                lines.push(Line::Columns {
                    name,
                    time,
                    mark: AxisMark::Event(event.timestamp),
                    rest,
                });
            }
            lines.extend(told.lines.iter().map(|text| {
                let mut line = self.ink();
                line.write(style::DIM, below).write(style::RED, text);
                Line::Text(line)
            }));
        }
    }

    fn attributes<'a>(&self, attributes: impl IntoIterator<Item = &'a KeyValue>) -> Ink {
        let mut ink = self.ink();
        for attribute in attributes {
            ink.space(1).write(style::DIM, &format!("{}=", attribute.key));
            ink.write(style::PLAIN, &value(&attribute.value));
        }
        ink
    }

    fn lead(&self, lead: &Lead) -> Ink {
        let mut ink = self.ink();
        ink.write(style::DIM, &lead.first());
        if lead.depth > self.deepest {
            ink.write(style::DIM, &format!("‹{}› ", lead.depth));
        }
        ink
    }

    fn ink(&self) -> Ink {
        Ink::new(self.colours)
    }
}
