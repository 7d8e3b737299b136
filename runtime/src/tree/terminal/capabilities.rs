//! What the terminal can show, and the user wants to see.

use std::io::IsTerminal;

/// How wide and how colourful a drawing is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capabilities {
    pub(crate) colours: bool,
    pub(crate) width: usize,
}

impl Capabilities {
    /// What suits standard error now; terminals are resized.
    pub(crate) fn of_stderr() -> Self {
        let stderr = std::io::stderr();
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let terminal = terminal_size::terminal_size_of(&stderr).map(|(width, _)| width.0);
        Self { colours: colours(variable, stderr.is_terminal()), width: width(variable, terminal) }
    }
}

fn colours(variable: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    if variable("CLICOLOR_FORCE").is_some_and(|force| force != "0") {
        return true;
    }
    let unwanted = variable("NO_COLOR").is_some();
    let unable = variable("TERM").is_some_and(|term| term == "dumb");
    terminal && !unwanted && !unable
}

fn width(variable: impl Fn(&str) -> Option<String>, terminal: Option<u16>) -> usize {
    let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
    columns.or(terminal.map(usize::from)).unwrap_or(100).clamp(40, 240)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(set: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| {
            let (_, value) = set.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        }
    }

    #[test]
    fn colours_are_for_terminals_unless_told_otherwise() {
        for (set, on_a_terminal, elsewhere) in [
            (&[][..], true, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("TERM", "dumb")], false, false),
            (&[("TERM", "xterm")], true, false),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1")], true, true),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1"), ("TERM", "dumb")], true, true),
        ] {
            assert_eq!(colours(variables(set), true), on_a_terminal, "{set:?}");
            assert_eq!(colours(variables(set), false), elsewhere, "{set:?}");
        }
    }

    #[test]
    fn the_width_is_asked_for_or_the_terminals() {
        assert_eq!(width(variables(&[]), None), 100);
        assert_eq!(width(variables(&[]), Some(132)), 132);
        assert_eq!(width(variables(&[("COLUMNS", "80")]), Some(132)), 80);
        assert_eq!(width(variables(&[("COLUMNS", "wide")]), Some(132)), 132);
        assert_eq!(width(variables(&[]), Some(1)), 40);
        assert_eq!(width(variables(&[]), Some(9_999)), 240);
    }
}
