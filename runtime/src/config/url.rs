//! URLs of collectors.

use crate::report::line;

/// Whether text is an `http://` or `https://` URL with a host.
pub(super) fn is_http(text: &str) -> bool {
    let scheme_and_rest = text.split_once("://");
    scheme_and_rest.is_some_and(|(scheme, rest)| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
            && !host.is_empty()
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

pub(super) fn is_https(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
}

/// The URL with this path appended, before its query.
pub(super) fn join(url: &str, path: &str) -> String {
    let (base, query) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    format!("{}{path}{query}", base.trim_end_matches('/'))
}

/// The URL without what may be secret: user, password and query; fit to be part of a line.
pub(crate) fn printable(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        _ => (String::new(), url),
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
    if rest.contains('@') {
        // Perhaps all this is a password, with signs in it that should be encoded.
        return format!("{scheme}…");
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    line(&format!("{scheme}{host}{path}"))
}

fn is_scheme(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || ['+', '-', '.'].contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        for (url, printed) in [
            ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
            ("https://user:hunter2@collector/in", "https://collector/in"),
            ("http://user:hun@ter2@127.0.0.1:9", "http://127.0.0.1:9"),
            ("http://collector/in?api_key=hunter2", "http://collector/in"),
            ("user:hunter2@collector", "collector"),
            ("http://user:hun/ter2@collector", "http://…"),
            ("http://user:hun?ter2@collector", "http://…"),
            ("user:hunter2://@collector", "…"),
        ] {
            assert_eq!(printable(url), printed);
        }
    }

    #[test]
    fn a_path_goes_before_the_query() {
        assert_eq!(join("http://c/", "/v1/traces"), "http://c/v1/traces");
        assert_eq!(join("http://c/in?key=1", "/v1/traces"), "http://c/in/v1/traces?key=1");
    }

    #[test]
    fn a_url_has_a_scheme_and_a_host() {
        for (text, yes) in [
            ("HTTP://collector", true),
            ("https://c/", true),
            ("collector:4318", false),
            ("http://", false),
            ("http:///path", false),
            ("htps://c", false),
            ("http://col lector", false),
            ("http://col\x1blector", false),
        ] {
            assert_eq!(is_http(text), yes, "{text}");
        }
    }
}
