//! What is told on standard error.

use std::fmt::Display;
use std::io::Write;

/// One line. Standard error may be closed: then there is nobody to tell, and nothing else changes.
pub(crate) fn say(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "spandrel: {message}");
}

/// Text from outside, fit for a line: nothing that steers a terminal, and not too long.
pub(crate) fn one_line(text: &str) -> String {
    let mut rest = text.chars();
    let mut line: String =
        rest.by_ref().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if rest.next().is_some() {
        line.push('…');
    }
    line
}

const LONGEST: usize = 120;
