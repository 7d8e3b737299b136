//! OTLP over gRPC. The message is framed here so that it is encoded once for all attempts, and so that answers that
//! are not gRPC's can be reported.

use std::error::Error;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use prost::Message;
use prost::bytes::{BufMut, Bytes, BytesMut};
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

use super::answer::{
    LARGEST_ANSWER, Reply, is_retryable, join_reason, parse_success, root_cause, unreadable,
};
use super::failure_message::FailureMessages;
use super::proxy::Proxy;
use super::retry_after::retry_after;
use super::status::Status as Details;
use super::timeout::{Timeout, within};
use super::user_agent::USER_AGENT;
use crate::config::{Encoding, Otlp, without_user};
use crate::exporter::Answer;
use crate::lock::Unpoisoned;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

const CREDENTIALS: &str = "; OTEL_EXPORTER_OTLP_HEADERS has the credentials of the collector";

/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The interval of HTTP/2 keep-alive pings during a request. Servers may close connections that ping more often.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Grpc {
    endpoint: Endpoint,
    proxy: Option<Tunnel<HttpConnector>>,
    current: Mutex<Connection>,
    headers: HeaderMap,
    failures: FailureMessages,
}

/// A channel reconnects when its connection is closed, but not when the peer is silent.
#[derive(Clone)]
struct Connection {
    channel: Channel,
    number: u64,
}

impl Grpc {
    /// Needs a runtime; connects with the first request.
    pub(super) fn new(settings: &Otlp, timeout: &Timeout) -> Result<Self, String> {
        let (url, authorization) = without_user(&settings.url);
        let endpoint = endpoint(url, settings, timeout).map_err(|error| root_cause(&error))?;
        let mut headers = settings.headers.clone();
        if let Some(authorization) = authorization {
            headers.entry(AUTHORIZATION).or_insert(authorization);
        }
        let proxy = Proxy::to(&settings.url);
        if let Some(proxy) = &proxy
            && proxy.uri.scheme_str() != Some("http")
        {
            return Err(format!(
                "gRPC supports only http:// proxies, and {proxy} is not one; list the collector's host in NO_PROXY \
                 to connect directly"
            ));
        }
        let tunnel = proxy.as_ref().map(|proxy| tunnel(proxy, timeout));
        let current = Connection { channel: open(&endpoint, tunnel.as_ref()), number: 0 };
        Ok(Self {
            endpoint,
            proxy: tunnel,
            current: Mutex::new(current),
            headers,
            failures: FailureMessages::new(settings, proxy),
        })
    }

    pub(super) async fn send(
        &self,
        headers: HeaderMap,
        message: Bytes,
        encoding: Option<Encoding>,
        limit: Option<Duration>,
    ) -> Reply {
        let Connection { channel, number } = self.current().clone();
        let request = match self.request(headers, message, encoding) {
            Ok(request) => request,
            Err(why) => return Reply::refused(why),
        };
        match within(limit, call(channel, request)).await {
            Some(Ok(answer)) => self.read(answer, encoding),
            Some(Err(error)) => Reply::Unreachable(self.failures.connection_failed(&*error).await),
            None => {
                self.reconnect(number);
                Reply::TimedOut(self.failures.timed_out())
            }
        }
    }

    fn request(
        &self,
        further: HeaderMap,
        message: Bytes,
        encoding: Option<Encoding>,
    ) -> Result<Request<Body>, String> {
        let length = u32::try_from(message.len()).map_err(|_| "the request is too large")?;
        let mut framed = BytesMut::with_capacity(PREFIX + message.len());
        framed.put_u8(encoding.is_some().into());
        framed.put_u32(length);
        framed.put(message);
        let mut request = Request::post(EXPORT)
            .body(Body::new(Full::new(framed.freeze())))
            .map_err(|error| error.to_string())?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.extend(further);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        if let Some(encoding) = encoding {
            // Some servers answer in the encoding of the request.
            let name = HeaderValue::from_static(encoding.name());
            headers.insert(GRPC_ENCODING, name.clone());
            headers.insert(GRPC_ACCEPT_ENCODING, name);
        }
        Ok(request)
    }

    /// Replaces a connection on which a request timed out.
    fn reconnect(&self, number: u64) {
        let mut current = self.current();
        if current.number == number {
            let channel = open(&self.endpoint, self.proxy.as_ref());
            *current = Connection { channel, number: number + 1 };
        }
    }

    fn current(&self) -> MutexGuard<'_, Connection> {
        self.current.lock().unpoisoned()
    }

    fn read(&self, answer: RawAnswer, encoding: Option<Encoding>) -> Reply {
        match answer {
            RawAnswer::Page { status, headers, body } => {
                let mut reply = read_page(status, &headers, &body);
                if let Reply::Answer(Answer::Unavailable { why, .. } | Answer::Refused(why)) =
                    &mut reply
                {
                    why.push_str(&self.failures.through_proxy());
                    why.push_str("; is it the collector that ");
                    why.push_str(self.failures.variable());
                    why.push_str(" names?");
                }
                reply
            }
            RawAnswer::Status(status) => read(&status, encoding),
            RawAnswer::Message { encoding, message } => read_message(encoding, &message),
            RawAnswer::TooLarge => {
                Reply::refused(format!("an answer of more than {LARGEST_ANSWER} bytes"))
            }
        }
    }
}

fn endpoint(
    url: String,
    #[cfg_attr(
        not(feature = "tls"),
        expect(unused_variables, reason = "only TLS is set up from them")
    )]
    settings: &Otlp,
    timeout: &Timeout,
) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(url)?
        .user_agent(USER_AGENT)?
        .connect_timeout(timeout.to_connect())
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    #[cfg(feature = "tls")]
    if settings.is_https() {
        use tonic::transport::{Certificate, ClientTlsConfig, Identity};

        let mut tls = match &settings.tls.roots {
            Some(roots) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(roots)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let Some(identity) = &settings.tls.identity {
            tls = tls.identity(Identity::from_pem(&identity.certificate, &identity.key));
        }
        return endpoint.tls_config(tls);
    }
    Ok(endpoint)
}

fn tunnel(proxy: &Proxy, timeout: &Timeout) -> Tunnel<HttpConnector> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(timeout.to_connect()));
    connector.set_nodelay(true);
    let tunnel = Tunnel::new(proxy.uri.clone(), connector);
    match &proxy.authorization {
        Some(authorization) => tunnel.with_auth(authorization.clone()),
        None => tunnel,
    }
}

fn open(endpoint: &Endpoint, proxy: Option<&Tunnel<HttpConnector>>) -> Channel {
    match proxy {
        Some(tunnel) => endpoint.connect_with_connector_lazy(tunnel.clone()),
        None => endpoint.connect_lazy(),
    }
}

/// An answer as it comes.
enum RawAnswer {
    /// Not gRPC's: what a proxy or another server says.
    Page {
        status: StatusCode,
        headers: HeaderMap,
        body: Vec<u8>,
    },
    Status(Status),
    /// The call succeeded.
    Message {
        encoding: Option<HeaderValue>,
        message: Vec<u8>,
    },
    TooLarge,
}

type BoxedError = Box<dyn Error + Send + Sync>;

async fn call(mut channel: Channel, request: Request<Body>) -> Result<RawAnswer, BoxedError> {
    let response: Response<Body> = channel.ready().await?.call(request).await?;
    let (mut head, mut frames) = response.into_parts();
    let kind = head.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_grpc = head.status == StatusCode::OK
        && kind
            .strip_prefix(b"application/grpc")
            .is_some_and(|rest| matches!(rest, [] | [b'+' | b';', ..]));
    let (mut body, mut trailers) = (Vec::new(), None);
    while let Some(frame) = frames.frame().await {
        match frame {
            Ok(frame) => match frame.into_data() {
                Ok(data) if body.len() + data.len() > PREFIX + LARGEST_ANSWER => {
                    return Ok(RawAnswer::TooLarge);
                }
                Ok(data) => body.extend_from_slice(&data),
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
            // A truncated page is still reported as a page.
            Err(_) if !is_grpc => break,
            Err(status) => return Err(status.into()),
        }
    }
    if !is_grpc {
        return Ok(RawAnswer::Page { status: head.status, headers: head.headers, body });
    }
    // Without a message, the status may stand in the headers.
    let mut trailers = trailers.unwrap_or_else(|| std::mem::take(&mut head.headers));
    remove_malformed_details(&mut trailers);
    match Status::from_header_map(&trailers) {
        Some(status) if status.code() == Code::Ok => {
            let encoding = head.headers.get(GRPC_ENCODING).cloned();
            Ok(RawAnswer::Message { encoding, message: body })
        }
        Some(status) => Ok(RawAnswer::Status(status)),
        None => Err("the answer ended without a status".into()),
    }
}

/// Takes out details that are not base64, over which tonic would panic.
pub(crate) fn remove_malformed_details(headers: &mut HeaderMap) {
    const DETAILS: &str = "grpc-status-details-bin";

    if let Some(details) = headers.get(DETAILS) {
        let mut alone = MetadataMap::new();
        alone.as_mut().insert(DETAILS, details.clone());
        if alone.get_bin(DETAILS).is_none_or(|details| details.to_bytes().is_err()) {
            headers.remove(DETAILS);
        }
    }
}

/// By the code, after the protocol's specification.
pub(crate) fn read(status: &Status, encoding: Option<Encoding>) -> Reply {
    let why = join_reason(status.code().description(), status.message());
    let details = Details::decode(status.details());
    let retry_after = details.ok().and_then(|details| details.retry_delay());
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Reply::Answer(Answer::Unavailable { why, retry_after }),
        Code::ResourceExhausted if retry_after.is_some() => {
            Reply::Answer(Answer::Unavailable { why, retry_after })
        }
        Code::ResourceExhausted if why.contains("larger than") => Reply::too_large(&why),
        Code::Unauthenticated => Reply::CredentialsRefused(format!("{why}{CREDENTIALS}")),
        Code::PermissionDenied => Reply::refused(format!("{why}{CREDENTIALS}")),
        Code::Unimplemented if encoding.is_some() => Reply::EncodingRefused(why),
        Code::InvalidArgument | Code::Internal => Reply::refused_in(encoding, why),
        _ => Reply::refused(why),
    }
}

/// An answer that is not gRPC's: by its HTTP status.
fn read_page(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Reply {
    let said = String::from_utf8_lossy(body);
    let why = join_reason(&format!("{status}, without a gRPC status"), &said);
    if is_retryable(status) {
        Reply::Answer(Answer::Unavailable { why, retry_after: retry_after(headers) })
    } else {
        Reply::refused(why)
    }
}

fn read_message(encoding: Option<HeaderValue>, framed: &[u8]) -> Reply {
    let unreadable = |why: &str| unreadable("status 0 (OK)", why);
    let decompressed;
    let message = match framed {
        // An empty body is an empty response.
        [] => framed,
        [_, a, b, c, d, message @ ..]
            if u32::from_be_bytes([*a, *b, *c, *d]) as usize != message.len() =>
        {
            return unreadable("its length is not what it says");
        }
        [0, _, _, _, _, message @ ..] => message,
        [1, _, _, _, _, message @ ..] => {
            let encoding = encoding.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
            let Some(encoding) = Encoding::named(encoding) else {
                return unreadable("in an encoding that was not asked for");
            };
            match encoding.decompress(message, LARGEST_ANSWER) {
                Ok(message) => {
                    decompressed = message;
                    &decompressed
                }
                Err(error) => return unreadable(&error.to_string()),
            }
        }
        _ => return unreadable("without a length"),
    };
    parse_success(message, false).map_or_else(|why| unreadable(&why), Reply::Answer)
}
