//! OTLP over HTTP, as protobuf or JSON.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use prost::Message;
use prost::bytes::Bytes;
use reqwest::redirect::Policy;
#[cfg(feature = "tls")]
use reqwest::{Certificate, ClientBuilder, Identity};
use reqwest::{Client, Response, Url};

use super::answer::{
    LARGEST_ANSWER, Reply, is_retryable, join_reason, parse_success, root_cause, unreadable,
};
use super::failure_message::FailureMessages;
use super::proxy::Proxy;
use super::retry_after::retry_after;
use super::status::Status;
use super::timeout::{Timeout, within};
use super::user_agent::USER_AGENT;
use crate::clean::line;
#[cfg(feature = "tls")]
use crate::config::Tls;
use crate::config::{Encoding, Otlp, Protocol, printable};
use crate::exporter::Answer;

pub(super) struct Http {
    client: Client,
    url: Url,
    headers: HeaderMap,
    failures: FailureMessages,
}

impl Http {
    pub(super) fn new(settings: &Otlp, timeout: &Timeout) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(settings.protocol)));
        headers.extend(settings.headers.clone());
        let proxy = Proxy::to(&settings.url);
        let client = client(settings, proxy.as_ref(), timeout);
        Ok(Self {
            client: client.map_err(|error| root_cause(&error))?,
            url: settings.url.parse().map_err(|error| format!("not a URL: {error}"))?,
            headers,
            failures: FailureMessages::new(settings, proxy),
        })
    }

    pub(super) async fn send(
        &self,
        headers: HeaderMap,
        body: Bytes,
        encoding: Option<Encoding>,
        limit: Option<Duration>,
    ) -> Reply {
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let mut request = request.headers(headers).body(body);
        if let Some(encoding) = encoding {
            request = request.header(CONTENT_ENCODING, encoding.name());
        }
        let answered = async {
            let mut response = request.send().await?;
            let body = receive(&mut response).await;
            reqwest::Result::Ok((response, body))
        };
        let (response, body) = match within(limit, answered).await {
            Some(Ok(answered)) => answered,
            Some(Err(error)) => {
                return Reply::Unreachable(self.failures.connection_failed(&error).await);
            }
            None => return Reply::TimedOut(self.failures.timed_out()),
        };
        match body {
            Body::Whole(body) => self.read(response.status(), response.headers(), &body, encoding),
            // The status is the answer, whatever becomes of the rest.
            Body::Broken if response.status().is_success() => Reply::Answer(Answer::TAKEN),
            Body::Broken => self.read(response.status(), response.headers(), &[], encoding),
            Body::TooLarge => Reply::refused(format!(
                "{}, with an answer of more than {LARGEST_ANSWER} bytes",
                response.status()
            )),
        }
    }

    fn read(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        encoding: Option<Encoding>,
    ) -> Reply {
        let mut reply = read(status, headers, body, encoding);
        if let Reply::CredentialsRefused(why)
        | Reply::Answer(Answer::Refused(why) | Answer::Unavailable { why, .. }) = &mut reply
        {
            let advice = self.advice(status, headers, why);
            why.push_str(&advice);
        }
        reply
    }

    /// What to do about an answer with this status.
    fn advice(&self, status: StatusCode, headers: &HeaderMap, why: &str) -> String {
        let variable = self.failures.variable();
        match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => format!(
                "; the path is `{}` (from {variable}), but collectors accept traces at `/v1/traces`",
                self.url.path()
            ),
            StatusCode::BAD_REQUEST if why.contains("HTTP request to an HTTPS server") => {
                format!("; {variable} must begin with `https://`")
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let proxy = self.failures.through_proxy();
                format!("{proxy}; OTEL_EXPORTER_OTLP_HEADERS has the credentials of the collector")
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => self.failures.through_proxy(),
            status if status.is_redirection() => {
                let to = headers.get(LOCATION).and_then(|to| to.to_str().ok());
                let to = to.map_or_else(|| "elsewhere".to_owned(), |to| line(&printable(to)));
                format!("; the server redirects to {to}; set {variable} to that URL")
            }
            _ => String::new(),
        }
    }
}

fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        #[cfg(feature = "json")]
        Protocol::HttpJson => "application/json",
        _ => "application/x-protobuf",
    }
}

fn client(settings: &Otlp, proxy: Option<&Proxy>, timeout: &Timeout) -> reqwest::Result<Client> {
    // A redirected POST would become a GET.
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .connect_timeout(timeout.to_connect())
        .no_proxy();
    let builder = match proxy {
        None => builder,
        Some(Proxy { uri, authorization }) => {
            let mut proxy = reqwest::Proxy::all(uri.to_string())?;
            if let Some(authorization) = authorization {
                proxy = proxy.custom_http_auth(authorization.clone());
            }
            builder.proxy(proxy)
        }
    };
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

/// The body of an answer.
enum Body {
    Whole(Vec<u8>),
    /// The connection was closed in the middle of it.
    Broken,
    TooLarge,
}

async fn receive(response: &mut Response) -> Body {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_ANSWER => return Body::TooLarge,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Body::Whole(body),
            Err(_) => return Body::Broken,
        }
    }
}

/// By the status, after the protocol's specification; what is not for good can be tried again.
pub(crate) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    encoding: Option<Encoding>,
) -> Reply {
    if status.is_success() {
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let json = kind.to_ascii_lowercase().starts_with(b"application/json");
        return match parse_success(body, json) {
            Ok(answer) => Reply::Answer(answer),
            Err(why) => {
                let kind = String::from_utf8_lossy(kind);
                unreadable(&status.to_string(), &format!("`{kind}`: {why}"))
            }
        };
    }
    let why = join_reason(&status.to_string(), &message(body));
    match status {
        status if is_retryable(status) => {
            Reply::Answer(Answer::Unavailable { why, retry_after: retry_after(headers) })
        }
        StatusCode::UNAUTHORIZED => Reply::CredentialsRefused(why),
        StatusCode::PAYLOAD_TOO_LARGE => Reply::too_large(&why),
        StatusCode::UNSUPPORTED_MEDIA_TYPE if encoding.is_some() => Reply::EncodingRefused(why),
        StatusCode::BAD_REQUEST => Reply::refused_in(encoding, why),
        _ => Reply::refused(why),
    }
}

/// The message of a `google.rpc.Status`, which collectors send as protobuf, or the body's text.
fn message(body: &[u8]) -> String {
    match (Status::decode(body), std::str::from_utf8(body)) {
        (Ok(status), _) if !status.message.is_empty() => status.message,
        (_, Ok(text)) => text.to_owned(),
        _ => String::new(),
    }
}
