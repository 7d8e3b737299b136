//! What is told on standard error.

use std::fmt::Display;
use std::io::Write;

/// One line. Standard error may be closed: then there is nobody to tell, and nothing else changes.
pub(crate) fn say(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "spandrel: {message}");
}
