//! Text from elsewhere, made fit for a terminal or a log.

/// How many characters of a text from elsewhere stand in a message.
const LONGEST: usize = 200;

/// Whether a character ends a line, moves the cursor, or sets the direction of text, which could hide what comes after.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn cleaned(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if steers(c) { ' ' } else { c })
}

/// The text with spaces for characters that [steer](steers).
pub(crate) fn clean(text: &str) -> String {
    cleaned(text).collect()
}

/// The beginning of the text, cleaned, as far as it fits into a message.
pub(crate) fn line(text: &str) -> String {
    let mut chars = cleaned(text.trim());
    let mut line: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_is_left() {
        let text = "a\u{1b}[31mb\nc\u{202e}d\u{2066}e\u{61c}f\u{2028}g";
        assert_eq!(clean(text), "a [31mb c d e f g");
        assert!(!clean(text).contains(steers));
        let long = "ä".repeat(LONGEST + 1);
        assert_eq!(line(&format!(" {long} ")), format!("{}…", "ä".repeat(LONGEST)));
    }
}
