//! Rules that decide about local traces by the name of their first span.

use opentelemetry::trace::SpanKind;

/// What a rule is for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    kind: Option<SpanKind>,
    name: String,
}

const KINDS: [(&str, SpanKind); 5] = [
    ("internal:", SpanKind::Internal),
    ("server:", SpanKind::Server),
    ("client:", SpanKind::Client),
    ("producer:", SpanKind::Producer),
    ("consumer:", SpanKind::Consumer),
];

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let restricted = KINDS
            .into_iter()
            .find_map(|(prefix, kind)| Some((Some(kind), text.strip_prefix(prefix)?.trim_start())));
        let (kind, name) = restricted.unwrap_or((None, text));
        Self { kind, name: name.to_owned() }
    }

    pub(super) fn matches(&self, name: &str, kind: &SpanKind) -> bool {
        self.kind.as_ref().is_none_or(|own| own == kind) && matches(&self.name, name)
    }
}

/// Whether a name matches a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let Some((middle, end)) = rest.rsplit_once('*') else { return name.ends_with(rest) };
    // The first place of each part leaves the most for the parts behind it.
    for part in middle.split('*') {
        let Some(place) = name.find(part) else { return false };
        name = &name[place + part.len()..];
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, names, others) in [
            ("GET /health", &["GET /health"][..], &["GET /healthz", "get /health", ""][..]),
            ("*", &["", "anything"], &[]),
            ("GET *", &["GET ", "GET /a"], &["POST /a", "GET"]),
            ("*/health", &["GET /health", "/health"], &["GET /health/", "health"]),
            ("GET /*/items", &["GET /a/items", "GET //items"], &["GET /items", "GET /a/items/1"]),
            ("a*b*a", &["aba", "abba", "axbxa"], &["ab", "a", "aa"]),
            ("**", &["", "a"], &[]),
            ("*ä*", &["bär"], &["bar"]),
        ] {
            for name in names {
                assert!(Pattern::new(pattern).matches(name, &SpanKind::Server), "{pattern} {name}");
            }
            for name in others {
                assert!(
                    !Pattern::new(pattern).matches(name, &SpanKind::Server),
                    "{pattern} {name}"
                );
            }
        }
    }

    #[test]
    fn a_kind_restricts_a_pattern() {
        let pattern = Pattern::new("server: GET *");
        assert!(pattern.matches("GET /", &SpanKind::Server));
        assert!(!pattern.matches("GET /", &SpanKind::Client));
        assert!(Pattern::new("consumer:*").matches("poll", &SpanKind::Consumer));
        assert!(Pattern::new("service:*").matches("service:a", &SpanKind::Internal));
    }

    /// As `matches`, the slow way.
    fn by_backtracking(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], name) => {
                (0..=name.len()).any(|skipped| by_backtracking(rest, &name[skipped..]))
            }
            ([first, rest @ ..], [letter, name @ ..]) => {
                first == letter && by_backtracking(rest, name)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_by_backtracking(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = by_backtracking(&chars(&pattern), &chars(&name));
            prop_assert_eq!(matches(&pattern, &name), expected);
        }
    }
}
