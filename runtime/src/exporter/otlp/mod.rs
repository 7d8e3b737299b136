//! OTLP: requests after the protocol's specification, by one of its transports.

mod answer;
mod compression;
mod credentials;
mod failure_message;
#[cfg(feature = "grpc")]
pub(crate) mod grpc;
#[cfg(feature = "otlp")]
pub(crate) mod http;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "json")]
mod lines;
mod protocol_probe;
mod proxy;
mod request;
mod retry_after;
mod status;
mod timeout;
#[cfg(feature = "tls")]
mod tls;
mod transport;
mod user_agent;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use opentelemetry_sdk::Resource;
use prost::bytes::Bytes;

pub(crate) use answer::Reply;
use answer::too_large_to_send;
use compression::Compressor;
use credentials::Credentials;
#[cfg(feature = "json")]
pub(crate) use lines::LineExporter;
use request::RequestFrame;
use timeout::Timeout;
use transport::CurrentTransport;

use super::{Answer, Exporter};
#[cfg(feature = "json")]
use crate::config::Protocol;
use crate::config::{Encoding, Otlp};
use crate::recorder::Batch;
use crate::report::say;

/// The largest request that the protocol's specification allows, before it is compressed.
const LARGEST_REQUEST: usize = 64 << 20;

pub(crate) struct OtlpExporter {
    frame: RequestFrame,
    #[cfg(feature = "json")]
    is_json: bool,
    compressor: Compressor,
    /// Whether the server has accepted a request uncompressed that it refused compressed.
    sends_uncompressed: AtomicBool,
    timeout: Timeout,
    destination: String,
    credentials: Credentials,
    transport: CurrentTransport,
}

impl OtlpExporter {
    /// For the spans of this resource; or what is wrong with the settings.
    pub(crate) fn connect(settings: &Otlp, resource: &Resource) -> Result<Self, String> {
        let timeout = Timeout::new(settings.timeout);
        Ok(Self {
            frame: RequestFrame::new(resource),
            #[cfg(feature = "json")]
            is_json: settings.protocol == Protocol::HttpJson,
            compressor: Compressor::new(settings.compression),
            sends_uncompressed: AtomicBool::new(false),
            destination: settings.destination(),
            credentials: Credentials::new(settings.headers_function.clone()),
            transport: CurrentTransport::new(settings, &timeout)?,
            timeout,
        })
    }

    /// One request; and another one, if the credentials are refused and may be others now.
    async fn try_once(&self, body: Bytes, encoding: Option<Encoding>) -> Reply {
        match self.attempt(body.clone(), encoding).await {
            Reply::CredentialsRefused(_) if self.credentials.may_change() => {
                self.attempt(body, encoding).await
            }
            reply => reply,
        }
    }

    async fn attempt(&self, body: Bytes, encoding: Option<Encoding>) -> Reply {
        let limit = self.timeout.current();
        let headers = match self.credentials.headers(limit).await {
            Ok(headers) => headers,
            Err(why) => {
                return Reply::Unreachable(Answer::Unavailable { why, retry_after: None });
            }
        };
        let begun = Instant::now();
        let transport = self.transport.get(&self.timeout);
        let reply = transport.send(headers, body, encoding, limit).await;
        match (&reply, limit) {
            (Reply::TimedOut(_), Some(limit)) => self.timeout.record_timeout(limit),
            (Reply::Answer(_) | Reply::EncodingRefused(_) | Reply::CredentialsRefused(_), _) => {
                self.timeout.record_answer(begun.elapsed());
            }
            (Reply::TimedOut(_) | Reply::Unreachable(_), _) => {}
        }
        reply
    }

    /// Sends a request uncompressed that the server refused compressed. If the server accepts it, all later
    /// requests are sent uncompressed.
    async fn send_uncompressed(
        &self,
        request: &Request,
        encoding: Encoding,
        why: String,
    ) -> Answer {
        let body = match encoding.decompress(&request.body, LARGEST_REQUEST) {
            Ok(body) => body,
            Err(error) => return Answer::Refused(format!("{why} (and: {error})")),
        };
        match self.try_once(body, None).await {
            Reply::Answer(answer @ Answer::Taken { .. }) => {
                if !self.sends_uncompressed.swap(true, Ordering::Relaxed) {
                    let (destination, name) = (&self.destination, encoding.name());
                    say(format_args!(
                        "{destination} does not accept {name} ({why}); spans are sent uncompressed from now on: \
                         set OTEL_EXPORTER_OTLP_COMPRESSION to none"
                    ));
                }
                answer
            }
            Reply::Answer(Answer::Refused(_)) | Reply::EncodingRefused(_) => Answer::Refused(why),
            reply => reply.into_answer(),
        }
    }
}

/// A batch as it is sent.
pub(crate) struct Request {
    body: Bytes,
    encoding: Option<Encoding>,
}

impl Exporter for OtlpExporter {
    const AT_ONCE: usize = credentials::AT_ONCE as usize;

    type Request = Request;

    fn encode(&self, batch: &Batch) -> Result<Request, String> {
        let encoded = self.frame.request(batch);
        #[cfg(feature = "json")]
        let encoded = if self.is_json { json::encode(&encoded)? } else { encoded };
        if encoded.len() > LARGEST_REQUEST {
            return Err(too_large_to_send(encoded.len(), LARGEST_REQUEST));
        }
        if self.sends_uncompressed.load(Ordering::Relaxed) {
            return Ok(Request { body: encoded.into(), encoding: None });
        }
        let encoding = self.compressor.encoding;
        let compressed = self.compressor.compress(encoded);
        let body =
            compressed.map_err(|error| format!("the request cannot be compressed: {error}"))?;
        Ok(Request { body, encoding })
    }

    async fn send(&self, request: &Request) -> Answer {
        match (self.try_once(request.body.clone(), request.encoding).await, request.encoding) {
            (Reply::EncodingRefused(why), Some(encoding)) => {
                self.send_uncompressed(request, encoding, why).await
            }
            (reply, _) => reply.into_answer(),
        }
    }
}
