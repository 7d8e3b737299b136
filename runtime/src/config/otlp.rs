//! `OTEL_EXPORTER_OTLP_*`: where to, by which protocol, and with what.

use crate::environment::Environment;

const FOR_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const FOR_ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Whether spans have somewhere to go that is not the default.
pub(super) fn names_an_endpoint(environment: &Environment<'_>) -> bool {
    [FOR_TRACES, FOR_ALL].iter().any(|name| environment.text(name).is_some())
}

#[cfg(feature = "_otlp")]
pub(crate) use settings::{Encoding, Otlp, Protocol, secret_header};

#[cfg(feature = "_otlp")]
mod settings {
    use std::fmt::{self, Debug, Formatter, Write};
    use std::time::Duration;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use percent_encoding::percent_decode_str;

    use super::{Environment, FOR_ALL, FOR_TRACES};
    use crate::clean::line;
    #[cfg(feature = "tls")]
    use crate::config::tls::Tls;
    use crate::config::{HeadersFunction, url};
    use crate::environment::flag;

    /// The settings of an exporter.
    #[derive(Clone, PartialEq)]
    pub(crate) struct Otlp {
        pub(crate) url: String,
        /// The variable that names it, unless it is the default.
        pub(crate) endpoint_variable: Option<&'static str>,
        pub(crate) protocol: Protocol,
        /// For every request; their values are secret.
        pub(crate) headers: HeaderMap,
        /// Gives further ones for each request.
        pub(crate) headers_function: Option<HeadersFunction>,
        /// For one request; without a limit where there is none.
        pub(crate) timeout: Option<Duration>,
        pub(crate) compression: Option<Encoding>,
        #[cfg(feature = "tls")]
        pub(crate) tls: Tls,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Protocol {
        #[cfg(feature = "grpc")]
        Grpc,
        #[cfg(feature = "otlp")]
        HttpProtobuf,
        #[cfg(feature = "json")]
        HttpJson,
    }

    /// A way in which requests are compressed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Encoding {
        #[cfg(feature = "gzip")]
        Gzip,
        #[cfg(feature = "zstd")]
        Zstd,
    }

    impl Otlp {
        pub(crate) fn resolve(
            headers_function: Option<HeadersFunction>,
            environment: &Environment<'_>,
        ) -> Self {
            let variables = Variables(environment);
            let protocol = variables.protocol();
            let url = variables.url(protocol);
            let endpoint_variable = url.as_ref().map(|_| variables.endpoint_variable());
            Self {
                endpoint_variable,
                url: url.unwrap_or_else(|| protocol.default_url().to_owned()),
                protocol,
                headers: variables.headers(),
                headers_function,
                timeout: variables.timeout(),
                compression: variables.compression(),
                #[cfg(feature = "tls")]
                tls: Tls::resolve(environment, |setting| variables.name(setting)),
            }
        }

        pub(crate) fn is_https(&self) -> bool {
            url::is_https(&self.url)
        }

        /// The host and the port.
        pub(crate) fn authority(&self) -> String {
            url::authority(&self.url)
        }

        /// Its URL without secrets.
        pub(crate) fn destination(&self) -> String {
            url::printable(&self.url)
        }
    }

    impl Debug for Otlp {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            let Self { protocol, timeout, compression, .. } = self;
            f.debug_struct("Otlp")
                .field("url", &self.destination())
                .field("protocol", protocol)
                .field("timeout", timeout)
                .field("compression", compression)
                .finish_non_exhaustive()
        }
    }

    impl Protocol {
        #[cfg(feature = "otlp")]
        const DEFAULT: Self = Self::HttpProtobuf;
        #[cfg(not(feature = "otlp"))]
        const DEFAULT: Self = Self::Grpc;

        pub(crate) fn is_grpc(self) -> bool {
            match self {
                #[cfg(feature = "grpc")]
                Self::Grpc => true,
                #[cfg(feature = "otlp")]
                _ => false,
            }
        }

        fn default_url(self) -> &'static str {
            if self.is_grpc() { "http://localhost:4317" } else { "http://localhost:4318/v1/traces" }
        }
    }

    /// The variables for traces, and those for all signals where they are not set.
    struct Variables<'a>(&'a Environment<'a>);

    impl Variables<'_> {
        /// The name of the variable that counts.
        fn name(&self, setting: &str) -> String {
            let traces = format!("OTEL_EXPORTER_OTLP_TRACES_{setting}");
            if self.0.text(&traces).is_some() {
                traces
            } else {
                format!("OTEL_EXPORTER_OTLP_{setting}")
            }
        }

        fn parsed<T>(
            &self,
            setting: &str,
            expected: &str,
            otherwise: &str,
            parse: impl FnOnce(&str) -> Option<T>,
        ) -> Option<T> {
            self.0.parsed(&self.name(setting), expected, otherwise, parse)
        }

        fn protocol(&self) -> Protocol {
            let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
                #[cfg(feature = "grpc")]
                "grpc" => Some(Protocol::Grpc),
                #[cfg(feature = "otlp")]
                "http/protobuf" => Some(Protocol::HttpProtobuf),
                #[cfg(feature = "json")]
                "http/json" => Some(Protocol::HttpJson),
                _ => None,
            };
            let expected = choices(&[
                ("grpc", cfg!(feature = "grpc"), "grpc"),
                ("http/protobuf", cfg!(feature = "otlp"), "otlp"),
                ("http/json", cfg!(feature = "json"), "json"),
            ]);
            let otherwise = if Protocol::DEFAULT.is_grpc() { "grpc" } else { "http/protobuf" };
            self.parsed("PROTOCOL", &expected, otherwise, parse).unwrap_or(Protocol::DEFAULT)
        }

        fn compression(&self) -> Option<Encoding> {
            let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
                "none" => Some(None),
                #[cfg(feature = "gzip")]
                "gzip" => Some(Some(Encoding::Gzip)),
                #[cfg(feature = "zstd")]
                "zstd" => Some(Some(Encoding::Zstd)),
                _ => None,
            };
            let expected = choices(&[
                ("gzip", cfg!(feature = "gzip"), "gzip"),
                ("zstd", cfg!(feature = "zstd"), "zstd"),
                ("none", true, ""),
            ]);
            self.parsed("COMPRESSION", &expected, "none", parse).flatten()
        }

        fn timeout(&self) -> Option<Duration> {
            let timeout = self.0.millis(&self.name("TIMEOUT"), 10_000);
            Some(timeout.unwrap_or(Duration::from_secs(10))).filter(|timeout| !timeout.is_zero())
        }

        /// The variable that names the endpoint.
        fn endpoint_variable(&self) -> &'static str {
            if self.0.text(FOR_TRACES).is_some() { FOR_TRACES } else { FOR_ALL }
        }

        /// The URL for traces as it is; the one for all signals with the path appended, where the
        /// protocol has paths.
        fn url(&self, protocol: Protocol) -> Option<String> {
            let name = self.endpoint_variable();
            let mut text = self.0.text(name)?;
            if protocol.is_grpc() && !text.contains("://") {
                let scheme = if self.insecure() { "http" } else { "https" };
                text = format!("{scheme}://{text}");
            }
            if let Err(expected) = url::check(&text) {
                let value = format!("`{}`", line(&url::printable(&text)));
                self.0.complain(name, &value, &expected, protocol.default_url());
                return None;
            }
            let for_all = name == FOR_ALL;
            Some(if for_all && !protocol.is_grpc() { url::join(&text, "/v1/traces") } else { text })
        }

        fn insecure(&self) -> bool {
            self.parsed("INSECURE", "`true` or `false`", "false", flag).unwrap_or(false)
        }

        /// `key=value` pairs with commas between them, percent-encoded. Wrong ones are left out, by
        /// their number: what is wrong with a secret does not make it less of one.
        fn headers(&self) -> HeaderMap {
            let mut headers = HeaderMap::new();
            let mut wrong = Vec::new();
            let name = self.name("HEADERS");
            let text = self.0.text(&name).unwrap_or_default();
            let pairs = text.split(',').enumerate().filter(|(_, pair)| !pair.trim().is_empty());
            for (index, pair) in pairs {
                match header(pair) {
                    Some((key, value)) => drop(headers.insert(key, value)),
                    None => wrong.push((index + 1).to_string()),
                }
            }
            if !wrong.is_empty() {
                let value = format!("wrong at entry {}", line(&wrong.join(", ")));
                self.0.complain(&name, &value, "key=value, percent-encoded", "the others");
            }
            headers
        }
    }

    fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
        let (key, value) = pair.split_once('=')?;
        secret_header(key, &percent_decode_str(value.trim()).collect::<Vec<u8>>())
    }

    /// A header whose value is secret, if HTTP allows it.
    pub(crate) fn secret_header(name: &str, value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
        let mut value = HeaderValue::from_bytes(value).ok()?;
        value.set_sensitive(true);
        Some((name.trim().parse().ok()?, value))
    }

    /// What can be chosen, and what could with another feature.
    fn choices(all: &[(&str, bool, &str)]) -> String {
        let (built, other): (Vec<_>, Vec<_>) =
            all.iter().copied().partition(|(_, built, _)| *built);
        let built: Vec<&str> = built.iter().map(|(name, ..)| *name).collect();
        let mut choices = built.join(", ");
        for (name, _, feature) in other {
            let _ = write!(choices, ", or {name} with spandrel's feature `{feature}`");
        }
        choices
    }

    #[cfg(all(test, feature = "otlp", feature = "grpc", feature = "json", feature = "tls"))]
    mod tests {
        use std::collections::HashMap;
        use std::ffi::OsString;
        use std::time::Duration;

        use super::*;

        fn resolve(variables: &[(&str, &str)]) -> (Otlp, Vec<String>) {
            let variables: HashMap<&str, &str> = variables.iter().copied().collect();
            let read = |name: &str| variables.get(name).map(OsString::from);
            let environment = Environment::new(&read);
            let settings = Otlp::resolve(None, &environment);
            (settings, environment.into_complaints())
        }

        fn settings(variables: &[(&str, &str)]) -> Otlp {
            let (settings, complaints) = resolve(variables);
            assert_eq!(complaints, Vec::<String>::new());
            settings
        }

        fn complaint(name: &str, value: &str) -> String {
            let (resolved, complaints) = resolve(&[(name, value)]);
            assert_eq!(resolved, settings(&[]), "{name}={value} changes nothing");
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            complaints[0].clone()
        }

        #[test]
        fn the_endpoint_for_traces_is_taken_as_it_is_and_the_one_for_all_has_a_path_appended() {
            let url = |variables: &[(&str, &str)]| settings(variables).url;
            assert_eq!(url(&[]), "http://localhost:4318/v1/traces");
            let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318/");
            assert_eq!(url(&[all]), "https://collector:4318/v1/traces");
            let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/in");
            assert_eq!(url(&[all, traces]), "http://traces:1/in");
        }

        #[test]
        fn grpc_has_a_port_and_a_scheme_of_its_own() {
            let url = |variables: &[(&str, &str)]| {
                let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
                settings(&[variables, &[grpc]].concat()).url
            };
            assert_eq!(url(&[]), "http://localhost:4317");
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317");
            assert_eq!(url(&[endpoint]), "https://collector:4317");
            let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
            assert_eq!(url(&[endpoint, insecure]), "http://collector:4317");
        }

        #[test]
        fn the_variable_for_traces_comes_first() {
            let resolved = settings(&[
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"),
                ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "HTTP/JSON"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "key=all"),
                ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization=Basic%20YWJj, x-team = a ,"),
            ]);
            assert_eq!(resolved.timeout, Some(Duration::from_millis(250)));
            assert_eq!(resolved.protocol, Protocol::HttpJson);
            let headers: Vec<_> = resolved
                .headers
                .iter()
                .map(|(key, value)| (key.as_str(), value.to_str().expect("text")))
                .collect();
            assert_eq!(headers, [("authorization", "Basic YWJj"), ("x-team", "a")]);
        }

        #[test]
        fn secrets_are_neither_debugged_nor_complained_of() {
            let resolved = settings(&[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector?key=hunter2"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
            ]);
            assert!(!format!("{resolved:?}").contains("hunter2"), "{resolved:?}");
            assert!(!format!("{:?}", resolved.headers).contains("hunter2"));
            let (_, complaints) = resolve(&[("OTEL_EXPORTER_OTLP_HEADERS", "a=b,hunter2,c=%7f")]);
            assert_eq!(
                complaints,
                ["OTEL_EXPORTER_OTLP_HEADERS is wrong at entry 2, 3, expected key=value, \
                  percent-encoded; using the others"]
            );
            assert_eq!(
                complaint(
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                    "htps://user:hunter2@host?key=hunter2"
                ),
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is `htps://host`, expected an http:// or https:// \
             URL; using http://localhost:4318/v1/traces"
            );
        }

        #[test]
        fn nonsense_is_named_with_what_was_expected() {
            assert_eq!(
                complaint("OTEL_EXPORTER_OTLP_PROTOCOL", "http"),
                "OTEL_EXPORTER_OTLP_PROTOCOL is `http`, expected grpc, http/protobuf, http/json; using \
             http/protobuf"
            );
            for (name, value) in [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "ten"),
                ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "-1"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:99999"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1"),
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:port/v1/traces"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file"),
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "Cargo.toml"),
                ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "Cargo.toml"),
            ] {
                assert!(complaint(name, value).starts_with(name), "{name}={value}");
            }
        }
    }
}
