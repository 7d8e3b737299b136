//! URLs of collectors.

#[cfg(feature = "grpc")]
use http::HeaderValue;
use http::Uri;
use url::Url;

use crate::clean::{line, steers};

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
    if text.contains(|c: char| c.is_whitespace() || steers(c)) {
        return Err(format!("{expected} without spaces"));
    }
    // The clients of HTTP use the one parser, and that of gRPC the other.
    let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
    if text.contains(":///") || !url.has_host() || url.as_str().parse::<Uri>().is_err() {
        return Err(format!("{expected} with a host"));
    }
    Ok(())
}

/// The URL without user and password, and the header `authorization` that says the same, as HTTP clients do.
#[cfg(feature = "grpc")]
pub(crate) fn without_user(url: &str) -> (String, Option<HeaderValue>) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use percent_encoding::percent_decode_str;

    let parsed =
        Url::parse(url).ok().filter(|url| !url.username().is_empty() || url.password().is_some());
    let Some(mut parsed) = parsed else { return (url.to_owned(), None) };
    let mut user: Vec<u8> = percent_decode_str(parsed.username()).collect();
    user.push(b':');
    user.extend(percent_decode_str(parsed.password().unwrap_or_default()));
    let mut header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(user))).ok();
    if let Some(header) = &mut header {
        header.set_sensitive(true);
    }
    let _ = (parsed.set_username(""), parsed.set_password(None));
    (parsed.into(), header)
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

    #[cfg(feature = "grpc")]
    #[test]
    fn a_user_becomes_a_header() {
        let (url, header) = without_user("http://Aladdin:open%20sesame@collector:4317/");
        assert_eq!(url, "http://collector:4317/");
        let header = header.expect("there is a user");
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(header.is_sensitive());
        assert_eq!(without_user("http://c:1").0, "http://c:1");
        assert_eq!(without_user("http://c:1").1, None);
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
            ("https://c/", cfg!(feature = "tls")),
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
