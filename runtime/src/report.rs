//! What is told on standard error.

use std::fmt::Display;
use std::io::Write;

/// As much of a text from elsewhere is told.
const LONGEST: usize = 200;

/// One line. Standard error may be closed: then there is nobody to tell, and nothing else changes.
pub(crate) fn say(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "spandrel: {message}");
}

/// A text from elsewhere, fit to be part of a line.
pub(crate) fn line(text: &str) -> String {
    let mut chars = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}
