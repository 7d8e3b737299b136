//! The text that tests compare: no times, no ids, and no other figures that differ each time.

use std::fmt::{self, Display, Formatter};

use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use super::trace_tree::{Lead, TraceTree};
use super::{kind, value};
use crate::clean::clean;
use crate::device::key::is_measured;

/// Spans of any number of traces.
pub(crate) struct Plain<'a>(pub(crate) &'a [SpanData]);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let TraceTree { roots, children } = TraceTree::of(self.0);
        let mut waiting: Vec<_> = roots.iter().rev().map(|root| (*root, Lead::default())).collect();
        while let Some((index, lead)) = waiting.pop() {
            let below = &children[index];
            lines(f, &self.0[index], &lead, !below.is_empty())?;
            for (after, child) in below.iter().rev().enumerate() {
                waiting.push((*child, lead.child(after == 0, usize::MAX)));
            }
        }
        Ok(())
    }
}

fn lines(f: &mut Formatter<'_>, span: &SpanData, lead: &Lead, parent: bool) -> fmt::Result {
    write!(f, "{}{}{}", lead.first(), clean(&span.name), kind(&span.span_kind))?;
    attributes(f, &span.attributes)?;
    if let Status::Error { description } = &span.status {
        write!(f, " ✗")?;
        if !description.is_empty() {
            write!(f, " {}", clean(description))?;
        }
    }
    writeln!(f)?;
    let bar = if parent { "│ " } else { "  " };
    for event in &span.events.events {
        write!(f, "{}{bar}• {}", lead.rest(), clean(&event.name))?;
        attributes(f, &event.attributes)?;
        writeln!(f)?;
    }
    Ok(())
}

fn attributes(f: &mut Formatter<'_>, attributes: &[KeyValue]) -> fmt::Result {
    attributes
        .iter()
        .filter(|attribute| !is_measured(attribute.key.as_str()))
        .try_for_each(|attribute| write!(f, " {}={}", attribute.key, value(&attribute.value)))
}
