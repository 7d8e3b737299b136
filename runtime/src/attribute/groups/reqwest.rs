//! Requests of `reqwest`, after the semantic conventions for HTTP clients.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use reqwest::{Request, Url};

use crate::attribute::{Attributes, ToAttributes};

/// Query parameters whose values are secret, as the semantic conventions list them.
const SECRET: [&str; 4] = ["AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"];

const REDACTED: &str = "REDACTED";

/// `http.request.method`, `url.full`, `server.address` and `server.port`. In the URL, `REDACTED` stands for a user, for a password,
/// and for the values of the query's parameters `AWSAccessKeyId`, `Signature`, `sig` and `X-Goog-Signature`.
impl ToAttributes for Request {
    fn to_attributes(&self, attributes: &mut Attributes) {
        let url = self.url();
        attributes.set("http.request.method", self.method().as_str());
        attributes.set("url.full", redacted(url).as_str());
        attributes.set("server.address", &url.host_str());
        attributes.set("server.port", &url.port_or_known_default());
    }
}

fn redacted(url: &Url) -> Cow<'_, Url> {
    let is_secret = |name: &str| SECRET.contains(&name);
    let mut url = Cow::Borrowed(url);
    if !url.username().is_empty() || url.password().is_some() {
        let with_user = url.to_mut();
        // They cannot fail where there is a user.
        let _ = with_user.set_username(REDACTED);
        let _ = with_user.set_password(Some(REDACTED));
    }
    if url.query_pairs().any(|(name, _)| is_secret(&name)) {
        let parameters = url.query().unwrap_or_default().split('&').map(|parameter| {
            let name = parameter.split('=').next().unwrap_or_default();
            if is_secret(&percent_decode_str(name).decode_utf8_lossy()) {
                Cow::Owned(format!("{name}={REDACTED}"))
            } else {
                parameter.into()
            }
        });
        let query = parameters.collect::<Vec<_>>().join("&");
        url.to_mut().set_query(Some(&query));
    }
    url
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;

    #[test]
    fn secrets_of_a_url_are_left_out() {
        for (url, expected) in [
            ("http://a/b?c=d#e", "http://a/b?c=d#e"),
            ("https://user:password@a/", "https://REDACTED:REDACTED@a/"),
            ("https://user@a/", "https://REDACTED:REDACTED@a/"),
            ("https://:password@a/", "https://REDACTED:REDACTED@a/"),
            ("http://a/?x=%20y&sig=1&sig=2&z", "http://a/?x=%20y&sig=REDACTED&sig=REDACTED&z"),
            ("http://a/?s%69g=abc", "http://a/?s%69g=REDACTED"),
            ("http://a/?Signature=&signature=1", "http://a/?Signature=REDACTED&signature=1"),
            (
                "http://a/?X-Goog-Signature&AWSAccessKeyId=x",
                "http://a/?X-Goog-Signature=REDACTED&AWSAccessKeyId=REDACTED",
            ),
        ] {
            let request = Request::new(Method::GET, url.parse().expect("a URL"));
            let mut attributes = Attributes::default();
            request.to_attributes(&mut attributes);
            let full =
                attributes.into_vec().into_iter().find(|pair| pair.key.as_str() == "url.full");
            assert_eq!(full.expect("it is there").value.as_str(), expected);
        }
    }
}
