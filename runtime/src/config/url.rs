//! URLs of collectors.

use http::Uri;
use url::Url;

use crate::report::line;

/// Whether text is a URL that the clients of all protocols can use; what is expected, if it is none.
pub(super) fn check(text: &str) -> Result<(), String> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let expected = match scheme.as_deref() {
        Some("https") if cfg!(not(feature = "tls")) => {
            return Err("an http:// URL (and https://, with spandrel's feature `tls`)".to_owned());
        }
        Some("http" | "https") => "an http:// or https:// URL",
        _ => return Err("an http:// or https:// URL".to_owned()),
    };
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("{expected} without spaces"));
    }
    // The clients of HTTP use the one parser, and that of gRPC the other.
    let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
    if text.contains(":///") || !url.has_host() || url.as_str().parse::<Uri>().is_err() {
        return Err(format!("{expected} with a host"));
    }
    Ok(())
}

/// The host and the port of a URL that was checked.
pub(super) fn authority(url: &str) -> String {
    Url::parse(url).ok().map_or_else(String::new, |url| {
        let port = url.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", url.host_str().unwrap_or_default())
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
            ("http://127.0.0.1:4317", true),
            ("http://127.0.0.1:99999", false),
            ("http://collector:port", false),
            ("http://[::1]:4317", true),
            ("http://[::1", false),
            ("http://user:password@collector/in?key=1", true),
        ] {
            assert_eq!(check(text).is_ok(), yes, "{text}");
        }
    }
}
