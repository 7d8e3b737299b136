//! The proxy for a collector, from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or in lower case), for
//! all protocols. A collector on a loopback address is always reached directly.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use crate::config::printable;

#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) uri: Uri,
    /// The value of `proxy-authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy on the way to this URL. A collector on this machine has none.
    pub(super) fn to(url: &str) -> Option<Self> {
        Self::by(&Matcher::from_system(), url)
    }

    fn by(matcher: &Matcher, url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        if url.host().is_some_and(is_loopback) {
            return None;
        }
        let intercept = matcher.intercept(&url)?;
        let authorization = intercept.basic_auth().cloned();
        Some(Self { uri: intercept.uri().clone(), authorization })
    }
}

/// Without its password.
impl Display for Proxy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let uri = self.uri.to_string();
        f.write_str(printable(uri.trim_end_matches('/')).as_str())
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collectors_on_this_machine_have_none() {
        let matcher = Matcher::builder()
            .all("http://user:hunter2@proxy:3128")
            .no("internal,10.0.0.0/8")
            .build();
        for (url, proxied) in [
            ("http://collector:4318/v1/traces", true),
            ("https://collector:4317", true),
            ("http://otel.internal:4318", false),
            ("http://10.1.2.3:4318", false),
            ("http://localhost:4318", false),
            ("http://LOCALHOST:4318", false),
            ("http://127.0.0.2:4318", false),
            ("http://[::1]:4318", false),
        ] {
            let proxy = Proxy::by(&matcher, url);
            assert_eq!(proxy.is_some(), proxied, "{url}");
            if let Some(proxy) = proxy {
                assert_eq!(proxy.to_string(), "http://proxy:3128");
                assert!(proxy.authorization.is_some());
            }
        }
    }
}
