//! What is said of requests that found no answer, so that the reader knows what to set.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::{is_connection_refused, root_cause};
use super::proxy::Proxy;
use super::spoken::{self, Spoken};
use crate::config::Otlp;
use crate::exporter::Answer;
use crate::report::line;

/// So long the answer to what is spoken somewhere holds.
const REMEMBERED: Duration = Duration::from_secs(30);

pub(super) struct Trouble {
    /// `host:port`.
    authority: String,
    is_https: bool,
    is_grpc: bool,
    /// Whether a variable names the endpoint, and which.
    variable: Option<&'static str>,
    /// What may be wrong when connections are closed without a reason.
    hint: &'static str,
    proxy: Option<Proxy>,
    spoken: Mutex<Option<(Instant, Option<Spoken>)>>,
}

impl Trouble {
    pub(super) fn new(settings: &Otlp, proxy: Option<Proxy>) -> Self {
        Self {
            authority: settings.authority(),
            is_https: settings.is_https(),
            is_grpc: settings.protocol.is_grpc(),
            variable: settings.endpoint_variable,
            hint: hint(settings),
            proxy,
            spoken: Mutex::default(),
        }
    }

    /// The variable to set the endpoint by.
    pub(super) fn variable(&self) -> &'static str {
        self.variable.unwrap_or("OTEL_EXPORTER_OTLP_ENDPOINT")
    }

    /// There was no answer in this time.
    pub(super) fn late(&self, timeout: Duration) -> Answer {
        let proxy = self.through_proxy();
        let why = format!(
            "no answer within {timeout:?}{proxy}; OTEL_EXPORTER_OTLP_TIMEOUT sets the time to wait"
        );
        Answer::Unavailable { why, retry_after: None }
    }

    /// Nobody answered, and the request may be made again.
    pub(super) async fn unanswered(&self, error: &(dyn Error + Send + Sync + 'static)) -> Answer {
        let mut why = line(&root_cause(error));
        if self.proxy.is_some() {
            why.push_str(&self.through_proxy());
        } else if is_connection_refused(error) {
            if self.variable.is_none() {
                why.push_str(
                    "; nobody listens there, which is the default: set OTEL_EXPORTER_OTLP_ENDPOINT, or \
                     OTEL_TRACES_EXPORTER to `console` or `none`",
                );
            }
        } else if let Some(spoken) = self.unexpected(&why).await {
            why = self.explain(spoken);
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

    /// What is spoken there, if it may be something that a request like ours does not expect.
    async fn unexpected(&self, why: &str) -> Option<Spoken> {
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
        let remembered = *self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let spoken = match remembered {
            Some((asked, spoken)) if asked.elapsed() < REMEMBERED => spoken,
            _ => {
                let spoken = spoken::at(&self.authority).await;
                let mut remembered = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
                *remembered = Some((Instant::now(), spoken));
                spoken
            }
        };
        let expected = if self.is_grpc { Spoken::Http2 } else { Spoken::Http1 };
        spoken.filter(|spoken| *spoken != expected)
    }

    fn explain(&self, spoken: Spoken) -> String {
        let variable = self.variable();
        match spoken {
            Spoken::Tls => {
                format!("TLS is spoken there: {variable} must begin with `https://`")
            }
            Spoken::Http1 => format!(
                "HTTP/1 is spoken there, so that it is no gRPC port: set {variable} to the collector's \
                 gRPC port, mostly 4317, or OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf"
            ),
            Spoken::Http2 => format!(
                "HTTP/2 is spoken there, so that it is a gRPC port: set {variable} to the collector's \
                 HTTP port, mostly 4318, or OTEL_EXPORTER_OTLP_PROTOCOL to grpc"
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
