//! OTLP: requests after the protocol's specification, by one of its transports.

mod answer;
mod compression;
mod encode;
#[cfg(feature = "grpc")]
pub(crate) mod grpc;
#[cfg(feature = "otlp")]
pub(crate) mod http;
#[cfg(feature = "json")]
mod json;
mod status;
#[cfg(feature = "tls")]
mod tls;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::bytes::Bytes;

use encode::{Frame, encode};

use super::{Answer, Exporter};
use crate::config::{Otlp, Protocol};

/// Tells collectors who sends, as the protocol's specification asks.
const USER_AGENT: &str = concat!("OTel-OTLP-Exporter-Rust/", env!("CARGO_PKG_VERSION"));

pub(crate) struct OtlpExporter {
    frame: Frame,
    /// Where requests are JSON, whose they are.
    #[cfg(feature = "json")]
    json: Option<Resource>,
    transport: Transport,
}

enum Transport {
    #[cfg(feature = "otlp")]
    Http(http::Http),
    #[cfg(feature = "grpc")]
    Grpc(grpc::Grpc),
}

impl OtlpExporter {
    /// For the spans of this resource; or what is wrong with the settings.
    pub(crate) fn connect(settings: &Otlp, resource: &Resource) -> Result<Self, String> {
        let transport = match settings.protocol {
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Transport::Grpc(grpc::Grpc::new(settings)?),
            #[cfg(feature = "otlp")]
            Protocol::HttpProtobuf => Transport::Http(http::Http::new(settings)?),
            #[cfg(feature = "json")]
            Protocol::HttpJson => Transport::Http(http::Http::new(settings)?),
        };
        Ok(Self {
            frame: Frame::new(resource),
            #[cfg(feature = "json")]
            json: (settings.protocol == Protocol::HttpJson).then(|| resource.clone()),
            transport,
        })
    }
}

impl Exporter for OtlpExporter {
    const AT_ONCE: usize = 8;

    type Request = Bytes;

    fn encode(&self, spans: Vec<SpanData>) -> Bytes {
        #[cfg(feature = "json")]
        let encoded = match &self.json {
            Some(resource) => json::encode(spans, resource),
            None => encode(&spans, &self.frame),
        };
        #[cfg(not(feature = "json"))]
        let encoded = encode(&spans, &self.frame);
        match &self.transport {
            #[cfg(feature = "otlp")]
            Transport::Http(http) => http.compress(encoded),
            #[cfg(feature = "grpc")]
            Transport::Grpc(_) => encoded.into(),
        }
    }

    async fn send(&self, request: &Bytes) -> Answer {
        match &self.transport {
            #[cfg(feature = "otlp")]
            Transport::Http(http) => http.send(request.clone()).await,
            #[cfg(feature = "grpc")]
            Transport::Grpc(grpc) => grpc.send(request.clone()).await,
        }
    }
}
