//! Text as the terminal shows it: in colour, clean, and as wide as it will be.

use unicode_width::UnicodeWidthStr;

use crate::clean::clean;

/// The parameters of the terminal's codes, after ECMA-48.
pub(super) mod style {
    pub(in crate::tree::terminal) const PLAIN: &str = "";
    pub(in crate::tree::terminal) const BOLD: &str = "1";
    pub(in crate::tree::terminal) const DIM: &str = "2";
    pub(in crate::tree::terminal) const RED: &str = "31";
    pub(in crate::tree::terminal) const BOLD_RED: &str = "1;31";
    pub(in crate::tree::terminal) const YELLOW: &str = "33";
    pub(in crate::tree::terminal) const CYAN: &str = "36";
}

/// A piece of a line.
pub(super) struct Ink {
    pub(super) text: String,
    /// In columns.
    pub(super) width: usize,
    colours: bool,
}

impl Ink {
    pub(super) fn new(colours: bool) -> Self {
        Self { text: String::new(), width: 0, colours }
    }

    pub(super) fn write(&mut self, style: &str, text: &str) -> &mut Self {
        let text = clean(text);
        self.width += text.width();
        if self.colours && !style.is_empty() && !text.is_empty() {
            self.text.extend(["\x1b[", style, "m", &text, "\x1b[0m"]);
        } else {
            self.text.push_str(&text);
        }
        self
    }

    pub(super) fn space(&mut self, columns: usize) -> &mut Self {
        self.width += columns;
        self.text.extend(std::iter::repeat_n(' ', columns));
        self
    }

    pub(super) fn append(mut self, other: Self) -> Self {
        self.width += other.width;
        self.text.push_str(&other.text);
        self
    }

    /// Spaces until it is as wide as this.
    pub(super) fn pad(&mut self, width: usize) -> &mut Self {
        self.space(width.saturating_sub(self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_columns() {
        for (colours, text) in
            [(false, "日本 cafe\u{301}"), (true, "\x1b[1m日本\x1b[0m cafe\u{301}")]
        {
            let mut ink = Ink::new(colours);
            ink.write(style::BOLD, "日本")
                .write(style::PLAIN, " cafe\u{301}")
                .write(style::RED, "");
            assert_eq!((ink.text.as_str(), ink.width), (text, 9));
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let steering = "a\x1b[2Jb\r\nc\u{9b}d\u{7f}e\u{202e}f\u{2066}g\u{200f}h\u{2028}i";
        assert_eq!(clean(steering), "a [2Jb  c d e f g h i");
        assert_eq!(clean("👩\u{200d}🚀"), "👩\u{200d}🚀");
    }
}
