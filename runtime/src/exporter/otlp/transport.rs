//! The transports, and what replaces one when the files of its certificates change.

use std::sync::{Arc, Mutex};
#[cfg(feature = "tls")]
use std::time::{Duration, Instant};

use http::HeaderMap;
use prost::bytes::Bytes;

use super::answer::Reply;
#[cfg(feature = "grpc")]
use super::grpc::Grpc;
#[cfg(feature = "otlp")]
use super::http::Http;
use super::timeout::Timeout;
use crate::config::{Encoding, Otlp, Protocol};
use crate::lock::Unpoisoned;
#[cfg(feature = "tls")]
use crate::report::say;

/// How long the files of certificates count as unchanged.
#[cfg(feature = "tls")]
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

pub(super) enum Transport {
    #[cfg(feature = "otlp")]
    Http(Box<Http>),
    #[cfg(feature = "grpc")]
    Grpc(Box<Grpc>),
}

impl Transport {
    fn new(settings: &Otlp, timeout: &Timeout) -> Result<Self, String> {
        match settings.protocol {
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Ok(Self::Grpc(Box::new(Grpc::new(settings, timeout)?))),
            #[cfg(feature = "otlp")]
            Protocol::HttpProtobuf => Ok(Self::Http(Box::new(Http::new(settings, timeout)?))),
            #[cfg(feature = "json")]
            Protocol::HttpJson => Ok(Self::Http(Box::new(Http::new(settings, timeout)?))),
        }
    }

    pub(super) async fn send(
        &self,
        headers: HeaderMap,
        body: Bytes,
        encoding: Option<Encoding>,
        limit: Option<std::time::Duration>,
    ) -> Reply {
        match self {
            #[cfg(feature = "otlp")]
            Self::Http(http) => http.send(headers, body, encoding, limit).await,
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.send(headers, body, encoding, limit).await,
        }
    }
}

/// The transport with the certificates that the files hold now.
pub(super) struct CurrentTransport(Mutex<State>);

struct State {
    transport: Arc<Transport>,
    #[cfg(feature = "tls")]
    files: Files,
}

/// What is known of the files of certificates.
#[cfg(feature = "tls")]
struct Files {
    settings: Otlp,
    checked_at: Instant,
    /// Why the files cannot be used, if that is so, and whether it was reported.
    problem: Option<(String, bool)>,
}

impl CurrentTransport {
    /// Needs a runtime.
    pub(super) fn new(settings: &Otlp, timeout: &Timeout) -> Result<Self, String> {
        let transport = Arc::new(Transport::new(settings, timeout)?);
        #[cfg(feature = "tls")]
        let files = Files {
            settings: settings.clone(),
            checked_at: Instant::now(),
            problem: settings.tls.mistake.clone().map(|why| (why, true)),
        };
        Ok(Self(Mutex::new(State {
            transport,
            #[cfg(feature = "tls")]
            files,
        })))
    }

    /// Replaces the transport if the files have changed: its connections have the earlier certificates.
    pub(super) fn get(&self, timeout: &Timeout) -> Arc<Transport> {
        let state = &mut *self.0.lock().unpoisoned();
        #[cfg(feature = "tls")]
        if let Some(transport) = state.files.replacement(timeout) {
            state.transport = Arc::new(transport);
        }
        #[cfg(not(feature = "tls"))]
        let _ = timeout;
        state.transport.clone()
    }
}

#[cfg(feature = "tls")]
impl Files {
    fn replacement(&mut self, timeout: &Timeout) -> Option<Transport> {
        if !self.settings.is_https() || self.checked_at.elapsed() < CHECK_INTERVAL {
            return None;
        }
        self.checked_at = Instant::now();
        let replaced = self.settings.tls.reread().and_then(|changed| {
            let Some(tls) = changed else { return Ok(None) };
            let settings = Otlp { tls, ..self.settings.clone() };
            let transport = Transport::new(&settings, timeout)?;
            self.settings = settings;
            Ok(Some(transport))
        });
        match replaced {
            Ok(transport) => {
                self.problem = None;
                transport
            }
            Err(why) => {
                self.report(why);
                None
            }
        }
    }

    /// Files are replaced one after the other, so what is wrong is reported when it is found for the second time.
    fn report(&mut self, why: String) {
        match &mut self.problem {
            Some((known, is_reported)) if *known == why => {
                if !std::mem::replace(is_reported, true) {
                    say(format_args!("{why}; using the certificates from before"));
                }
            }
            _ => self.problem = Some((why, false)),
        }
    }
}
