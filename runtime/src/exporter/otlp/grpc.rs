//! OTLP over gRPC.

use std::error::Error;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use prost::bytes::{BufMut, Bytes};
use tonic::body::Body;
use tonic::client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tower::ServiceExt;
use tower::util::MapResponse;

use super::answer::{hint, root_cause, taken, told, unanswered};
use super::status::Status as Details;
use super::{Answer, USER_AGENT};
use crate::config::{Compression, Otlp};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub(super) struct Grpc {
    client: Client,
    metadata: MetadataMap,
    timeout: Duration,
    /// What may be wrong when connections are closed.
    hint: &'static str,
}

impl Grpc {
    /// Needs a runtime; connects with the first request.
    pub(super) fn new(settings: &Otlp) -> Result<Self, String> {
        let endpoint = endpoint(settings).map_err(|error| root_cause(&error))?;
        let client = client::Grpc::new(endpoint.connect_lazy().map_response(checked as Check));
        Ok(Self {
            client: compressed(client, settings.compression),
            metadata: MetadataMap::from_headers(settings.headers.clone()),
            timeout: settings.timeout,
            hint: hint(settings),
        })
    }

    pub(super) async fn send(&self, body: Bytes) -> Answer {
        match tokio::time::timeout(self.timeout, self.export(body)).await {
            Ok(Ok(response)) => taken(response),
            // A status with a source is not the server's: the connection failed.
            Ok(Err(status)) => match status.source() {
                Some(source) => unanswered(source, self.hint),
                None => read(&status),
            },
            Err(_) => Answer::late(self.timeout),
        }
    }

    async fn export(&self, body: Bytes) -> Result<ExportTraceServiceResponse, Status> {
        let mut client = self.client.clone();
        client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let mut request = Request::new(body);
        *request.metadata_mut() = self.metadata.clone();
        let response = client.unary(request, PathAndQuery::from_static(EXPORT), Encoded).await?;
        Ok(response.into_inner())
    }
}

fn endpoint(settings: &Otlp) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(settings.url.clone())?
        .user_agent(USER_AGENT)?
        .connect_timeout(settings.timeout);
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

type Client = client::Grpc<MapResponse<Channel, Check>>;
type Check = fn(Response<Body>) -> Response<Body>;

/// Without details that tonic would panic over.
fn checked(mut response: Response<Body>) -> Response<Body> {
    check(response.headers_mut());
    response.map(|body| {
        Body::new(body.map_frame(|mut frame| {
            frame.trailers_mut().map(check);
            frame
        }))
    })
}

/// Takes out details that are not base64.
pub(crate) fn check(headers: &mut HeaderMap) {
    if let Some(details) = headers.get(DETAILS) {
        let mut alone = MetadataMap::new();
        alone.as_mut().insert(DETAILS, details.clone());
        if alone.get_bin(DETAILS).is_none_or(|details| details.to_bytes().is_err()) {
            headers.remove(DETAILS);
        }
    }
}

const DETAILS: &str = "grpc-status-details-bin";

fn compressed(client: Client, compression: Compression) -> Client {
    match compression {
        Compression::None => client,
        #[cfg(feature = "gzip")]
        Compression::Gzip => client.send_compressed(tonic::codec::CompressionEncoding::Gzip),
        #[cfg(feature = "zstd")]
        Compression::Zstd => client.send_compressed(tonic::codec::CompressionEncoding::Zstd),
    }
}

/// By the code, after the protocol's specification.
pub(crate) fn read(status: &Status) -> Answer {
    let why = told(status.code().description(), status.message());
    let details = Details::decode(status.details());
    let retry_after = details.ok().and_then(|details| details.retry_delay());
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Answer::Unavailable { why, retry_after },
        Code::ResourceExhausted if retry_after.is_some() => {
            Answer::Unavailable { why, retry_after }
        }
        _ => Answer::Refused(why),
    }
}

/// Requests that are encoded already, so that trying again costs nothing.
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = ExportTraceServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = ExportTraceServiceResponse;
    type Error = Status;

    /// What cannot be read says nothing: the request was taken.
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        Ok(Some(ExportTraceServiceResponse::decode(buffer).unwrap_or_default()))
    }
}
