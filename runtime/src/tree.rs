//! Finished spans as a tree of text, for tests and terminals.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// Spans of any number of traces, children under their parents in the order of `spans`. A span
/// whose parent is not among them is a root.
pub(crate) struct Tree<'a> {
    pub(crate) spans: &'a [SpanData],
    /// Whether each line tells how long the span took; tests do without.
    pub(crate) durations: bool,
}

impl Display for Tree<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let known: HashMap<SpanId, usize> = self
            .spans
            .iter()
            .enumerate()
            .map(|(index, span)| (span.span_context.span_id(), index))
            .collect();
        let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
        for (index, span) in self.spans.iter().enumerate() {
            let parent = known.get(&span.parent_span_id).copied();
            children.entry(parent).or_default().push(index);
        }
        for root in children.get(&None).into_iter().flatten() {
            self.branch(f, &children, *root, "", "")?;
        }
        Ok(())
    }
}

impl Tree<'_> {
    fn branch(
        &self,
        f: &mut Formatter<'_>,
        children: &HashMap<Option<usize>, Vec<usize>>,
        index: usize,
        first: &str,
        rest: &str,
    ) -> fmt::Result {
        let span = &self.spans[index];
        let below = children.get(&Some(index)).map_or(&[][..], Vec::as_slice);
        f.write_str(first)?;
        self.line(f, span)?;
        let bar = if below.is_empty() { "  " } else { "│ " };
        for event in &span.events.events {
            write!(f, "{rest}{bar}• {}", one_line(&event.name))?;
            attributes(f, &event.attributes)?;
            writeln!(f)?;
        }
        for (position, child) in below.iter().enumerate() {
            let last = position + 1 == below.len();
            let (branch, trunk) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let (first, rest) = (format!("{rest}{branch}"), format!("{rest}{trunk}"));
            self.branch(f, children, *child, &first, &rest)?;
        }
        Ok(())
    }

    fn line(&self, f: &mut Formatter<'_>, span: &SpanData) -> fmt::Result {
        f.write_str(&one_line(&span.name))?;
        match span.span_kind {
            SpanKind::Internal => {}
            SpanKind::Server => f.write_str(" [server]")?,
            SpanKind::Client => f.write_str(" [client]")?,
            SpanKind::Producer => f.write_str(" [producer]")?,
            SpanKind::Consumer => f.write_str(" [consumer]")?,
        }
        if self.durations {
            let taken = span.end_time.duration_since(span.start_time).unwrap_or_default();
            write!(f, " {}", Taken(taken))?;
        }
        attributes(f, &span.attributes)?;
        if let Status::Error { description } = &span.status {
            write!(f, " ✗ {}", one_line(description))?;
        }
        writeln!(f)
    }
}

fn attributes(f: &mut Formatter<'_>, attributes: &[KeyValue]) -> fmt::Result {
    for KeyValue { key, value, .. } in attributes {
        write!(f, " {key}=")?;
        match value {
            Value::String(text) => write!(f, "{:?}", text.as_str())?,
            Value::Array(Array::String(texts)) => {
                let texts: Vec<&str> =
                    texts.iter().map(opentelemetry::StringValue::as_str).collect();
                write!(f, "{texts:?}")?;
            }
            other => f.write_str(&other.as_str())?,
        }
    }
    Ok(())
}

/// Text from outside must not break the drawing, or steer the terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A duration with three digits that matter.
struct Taken(Duration);

impl Display for Taken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_secs_f64() * 1e9;
        let (value, unit) = match nanos {
            n if n < 1e3 => (n, "ns"),
            n if n < 1e6 => (n / 1e3, "µs"),
            n if n < 1e9 => (n / 1e6, "ms"),
            n => (n / 1e9, "s"),
        };
        let digits = match value {
            v if v < 10.0 && unit != "ns" => 2,
            v if v < 100.0 && unit != "ns" => 1,
            _ => 0,
        };
        write!(f, "{value:.digits$} {unit}")
    }
}
