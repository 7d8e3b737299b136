//! Messages about requests that got no answer, which say what to set.

use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::answer::{is_connection_refused, root_cause};
use super::protocol_probe::{DetectedProtocol, probe};
use super::proxy::Proxy;
use crate::clean::line;
use crate::config::Otlp;
use crate::exporter::Answer;
use crate::lock::Unpoisoned;

/// How long the detected protocol is remembered.
const REMEMBERED: Duration = Duration::from_secs(30);

pub(super) struct FailureMessages {
    /// `host:port`.
    authority: String,
    is_https: bool,
    is_grpc: bool,
    timeout: Option<Duration>,
    /// Whether a variable names the endpoint, and which.
    variable: Option<&'static str>,
    /// What may be wrong when connections are closed without a reason.
    hint: &'static str,
    proxy: Option<Proxy>,
    /// The protocol that the server was found to use, and when.
    detected: Mutex<Option<(Instant, Option<DetectedProtocol>)>>,
}

impl FailureMessages {
    pub(super) fn new(settings: &Otlp, proxy: Option<Proxy>) -> Self {
        Self {
            authority: settings.authority(),
            is_https: settings.is_https(),
            is_grpc: settings.protocol.is_grpc(),
            timeout: settings.timeout,
            variable: settings.endpoint_variable,
            hint: hint(settings),
            proxy,
            detected: Mutex::default(),
        }
    }

    /// The variable to set the endpoint by.
    pub(super) fn variable(&self) -> &'static str {
        self.variable.unwrap_or("OTEL_EXPORTER_OTLP_ENDPOINT")
    }

    /// There was no answer in time. The text has the time of the settings, though later requests have more, so
    /// that one reason is one text.
    pub(super) fn timed_out(&self) -> Answer {
        let (proxy, timeout) = (self.through_proxy(), self.timeout.unwrap_or_default());
        let why = format!(
            "no answer within {timeout:?}{proxy}; OTEL_EXPORTER_OTLP_TIMEOUT sets the time to wait"
        );
        Answer::Unavailable { why, retry_after: None }
    }

    /// There was no connection, or it was closed. The request may be retried.
    pub(super) async fn connection_failed(
        &self,
        error: &(dyn Error + Send + Sync + 'static),
    ) -> Answer {
        let mut why = line(&root_cause(error));
        if self.proxy.is_some() {
            why.push_str(&self.through_proxy());
        } else if is_connection_refused(error) {
            if self.variable.is_none() {
                why.push_str(
                    "; nothing listens at the default endpoint: set OTEL_EXPORTER_OTLP_ENDPOINT, or set \
                     OTEL_TRACES_EXPORTER to `console` or `none`",
                );
            }
        } else if let Some(detected) = self.unexpected(&why).await {
            why = self.explain(detected);
        } else if ["connection closed", "broken pipe"].iter().any(|closed| why.contains(closed)) {
            why.push_str(self.hint);
        }
        Answer::Unavailable { why, retry_after: None }
    }

    /// The proxy that a message is to name.
    pub(super) fn through_proxy(&self) -> String {
        let variables = if self.is_https { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        let proxy = self.proxy.as_ref();
        proxy.map_or_else(String::new, |proxy| {
            format!(" (through the proxy {proxy}, from {variables} or ALL_PROXY)")
        })
    }

    /// The protocol of the server, if this error may come from a protocol that the request does not expect.
    async fn unexpected(&self, why: &str) -> Option<DetectedProtocol> {
        const SUSPICIOUS: [&str; 8] = [
            "invalid HTTP version",
            "HTTP header",
            "HTTP/2",
            "http2",
            "frame",
            "connection closed",
            "broken pipe",
            "reset",
        ];
        if self.is_https || !SUSPICIOUS.iter().any(|text| why.contains(text)) {
            return None;
        }
        let remembered = *self.detected.lock().unpoisoned();
        let detected = match remembered {
            Some((asked, detected)) if asked.elapsed() < REMEMBERED => detected,
            _ => {
                let detected = probe(&self.authority).await;
                let mut remembered = self.detected.lock().unpoisoned();
                *remembered = Some((Instant::now(), detected));
                detected
            }
        };
        let expected = if self.is_grpc { DetectedProtocol::Http2 } else { DetectedProtocol::Http1 };
        detected.filter(|detected| *detected != expected)
    }

    fn explain(&self, detected: DetectedProtocol) -> String {
        let variable = self.variable();
        match detected {
            DetectedProtocol::Tls => {
                format!("the server expects TLS; {variable} must begin with `https://`")
            }
            DetectedProtocol::Http1 => format!(
                "the server answered with HTTP/1, so this is not a gRPC port; set {variable} to the collector's \
                 gRPC port (usually 4317), or OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf"
            ),
            DetectedProtocol::Http2 => format!(
                "the server answered with HTTP/2, so this is a gRPC port; set {variable} to the collector's \
                 HTTP port (usually 4318), or OTEL_EXPORTER_OTLP_PROTOCOL to grpc"
            ),
        }
    }
}

fn hint(settings: &Otlp) -> &'static str {
    #[cfg(feature = "tls")]
    if settings.is_https() {
        return super::tls::hint(&settings.tls);
    }
    let _ = settings;
    ""
}
