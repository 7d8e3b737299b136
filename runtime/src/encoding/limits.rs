//! How much one span may hold.

/// The limits of OpenTelemetry's specification: `OTEL_SPAN_*`, `OTEL_EVENT_*`, `OTEL_LINK_*` and
/// `OTEL_ATTRIBUTE_*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
    pub(crate) event_attributes: u32,
    pub(crate) link_attributes: u32,
    /// How many characters of a text are kept.
    pub(crate) value_length: Option<usize>,
}

impl Limits {
    /// For tests: as many attributes as they like, and as many events as the specification's default allows.
    pub(crate) const OF_TESTS: Self = Self {
        attributes: u32::MAX,
        events: 128,
        links: 128,
        event_attributes: 128,
        link_attributes: 128,
        value_length: None,
    };

    /// For attributes that are collected before it is known whose they are.
    pub(crate) const NONE: Self = Self {
        attributes: u32::MAX,
        events: u32::MAX,
        links: u32::MAX,
        event_attributes: u32::MAX,
        link_attributes: u32::MAX,
        value_length: None,
    };

    /// As much of a text as is kept.
    #[inline]
    pub(crate) fn cut<'a>(&self, text: &'a str) -> &'a str {
        let Some(length) = self.value_length else { return text };
        text.char_indices().nth(length).map_or(text, |(end, _)| &text[..end])
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_after_so_many_characters() {
        for (length, expected) in [(0, ""), (2, "aä"), (3, "aäb"), (4, "aäb")] {
            let limits = Limits { value_length: Some(length), ..Limits::NONE };
            assert_eq!(limits.cut("aäb"), expected);
        }
        assert_eq!(Limits::NONE.cut("aäb"), "aäb");
    }
}
