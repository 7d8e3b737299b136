//! OTLP over HTTP, as protobuf or JSON.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use prost::bytes::Bytes;
use reqwest::redirect::Policy;
#[cfg(feature = "tls")]
use reqwest::{Certificate, ClientBuilder, Identity};
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::answer::{hint, root_cause, taken, told, unanswered};
use super::compression::Compressor;
use super::status::Status;
use super::{Answer, USER_AGENT};
#[cfg(feature = "tls")]
use crate::config::Tls;
use crate::config::{Otlp, Protocol};

/// Answers are short; of longer ones the rest is not read.
const LONGEST_ANSWER: usize = 64 * 1024;

pub(super) struct Http {
    client: Client,
    url: Url,
    headers: HeaderMap,
    compressor: Compressor,
    timeout: Duration,
    /// What may be wrong when connections are closed.
    hint: &'static str,
}

impl Http {
    pub(super) fn new(settings: &Otlp) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(settings.protocol)));
        if let Some(encoding) = settings.compression.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        headers.extend(settings.headers.clone());
        Ok(Self {
            client: client(settings).map_err(|error| root_cause(&error))?,
            url: settings.url.parse().map_err(|error| format!("not a URL: {error}"))?,
            headers,
            compressor: Compressor::new(settings.compression)?,
            timeout: settings.timeout,
            hint: hint(settings),
        })
    }

    pub(super) fn compress(&self, request: Vec<u8>) -> Bytes {
        self.compressor.compress(request).into()
    }

    pub(super) async fn send(&self, body: Bytes) -> Answer {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body);
        let end = Instant::now() + self.timeout;
        let mut response = match timeout_at(end, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return unanswered(&error, self.hint),
            Err(_) => return Answer::late(self.timeout),
        };
        let mut body = Vec::new();
        // The status is the answer, whatever becomes of the rest.
        let _ = timeout_at(end, receive(&mut response, &mut body)).await;
        read(response.status(), response.headers(), &body)
    }
}

fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        #[cfg(feature = "json")]
        Protocol::HttpJson => "application/json",
        _ => "application/x-protobuf",
    }
}

fn client(settings: &Otlp) -> reqwest::Result<Client> {
    // A redirected POST would become a GET.
    let builder = Client::builder().user_agent(USER_AGENT).redirect(Policy::none());
    #[cfg(feature = "tls")]
    let builder = match &settings.tls.roots {
        // The system's roots are hundreds of files, for nothing.
        None if !settings.is_https() => builder.tls_certs_only([]),
        _ => trusting(builder, &settings.tls)?,
    };
    #[cfg(not(feature = "tls"))]
    let _ = settings;
    builder.build()
}

#[cfg(feature = "tls")]
fn trusting(mut builder: ClientBuilder, tls: &Tls) -> reqwest::Result<ClientBuilder> {
    if let Some(roots) = &tls.roots {
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(roots)?);
    }
    if let Some(identity) = &tls.identity {
        let pem = [identity.certificate.as_slice(), b"\n", &identity.key].concat();
        builder = builder.identity(Identity::from_pem(&pem)?);
    }
    Ok(builder)
}

/// By the status, after the protocol's specification; what is not for good can be tried again.
pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    if status.is_success() {
        let json = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        return taken(decode(body, json));
    }
    let why = told(&status.to_string(), &message(body));
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Answer::Unavailable { why, retry_after: retry_after(headers) }
        }
        _ => Answer::Refused(why),
    }
}

async fn receive(response: &mut Response, body: &mut Vec<u8>) {
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            break;
        }
    }
}

/// What cannot be read says nothing: the status has said that the request was taken.
fn decode(body: &[u8], json: bool) -> ExportTraceServiceResponse {
    #[cfg(feature = "json")]
    if json {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    let _ = json;
    ExportTraceServiceResponse::decode(body).unwrap_or_default()
}

/// The message of a `google.rpc.Status`, which collectors send as protobuf, or the body's text.
fn message(body: &[u8]) -> String {
    match (Status::decode(body), std::str::from_utf8(body)) {
        (Ok(status), _) if !status.message.is_empty() => status.message,
        (_, Ok(text)) => text.to_owned(),
        _ => String::new(),
    }
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
}
