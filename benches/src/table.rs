//! What was measured, as Markdown.

use std::fmt::{self, Display, Formatter};

/// The first column says what the others are about.
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// The column that ratios are told to.
    reference: usize,
}

pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) values: Vec<Option<f64>>,
}

impl Table {
    pub(crate) fn new(title: &'static str, head: Vec<String>, reference: usize) -> Self {
        Self { title, head, rows: Vec::new(), reference }
    }

    pub(crate) fn value(&self, row: &str, column: &str) -> Option<f64> {
        let row = self.rows.iter().find(|candidate| candidate.name == row)?;
        row.values[self.head.iter().position(|name| name == column)?]
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | {} |", self.title, self.head.join(" | "))?;
        writeln!(f, "| --- |{}", " --: |".repeat(self.head.len()))?;
        for row in &self.rows {
            let reference = row.values[self.reference].filter(|value| *value != 0.0);
            let cells = row.values.iter().map(|value| cell(*value, reference));
            writeln!(f, "| {} | {} |", row.name, cells.collect::<Vec<_>>().join(" | "))?;
        }
        Ok(())
    }
}

fn cell(value: Option<f64>, reference: Option<f64>) -> String {
    match (value, reference) {
        (Some(value), Some(reference)) => format!("{value:.1} ({:.2})", value / reference),
        (Some(value), None) => format!("{value:.1}"),
        (None, _) => String::new(),
    }
}
