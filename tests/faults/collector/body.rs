//! Bodies: from bytes to a request, and from an answer to bytes.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use ruzstd::decoding::StreamingDecoder;
use serde_json::Value;

use super::behaviour::Behaviour;
use super::not_finite;

#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Protobuf,
    Json,
}

/// A request that is not OTLP, and the status to refuse it with.
#[derive(Clone, Debug)]
pub(super) struct Malformed {
    pub(super) status: u16,
    pub(super) finding: String,
}

impl Malformed {
    pub(super) fn new(status: u16, finding: impl Into<String>) -> Self {
        Self { status, finding: finding.into() }
    }
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    pub(super) fn decode(self, body: &[u8]) -> Result<ExportTraceServiceRequest, Malformed> {
        match self {
            Self::Protobuf => ExportTraceServiceRequest::decode(body)
                .map_err(|error| Malformed::new(400, format!("no protobuf: {error}"))),
            Self::Json => {
                let malformed = |error| Malformed::new(400, format!("no OTLP/JSON: {error}"));
                let mut json: Value = serde_json::from_slice(body).map_err(malformed)?;
                if let Some(key) = snake_case(&json) {
                    return Err(Malformed::new(400, format!("`{key}` is not lowerCamelCase")));
                }
                not_finite::hide(&mut json).map_err(|finding| Malformed::new(400, finding))?;
                let mut request = serde_json::from_value(json).map_err(malformed)?;
                not_finite::reveal(&mut request);
                Ok(request)
            }
        }
    }

    /// What success looks like.
    pub(super) fn success(self, behaviour: &Behaviour) -> Vec<u8> {
        let partial_success = match behaviour {
            Behaviour::GarbageMessage => return b"\xff\xff no message".to_vec(),
            Behaviour::Partial { rejected, message } => Some(ExportTracePartialSuccess {
                rejected_spans: *rejected,
                error_message: (*message).to_owned(),
            }),
            _ => None,
        };
        let response = ExportTraceServiceResponse { partial_success };
        match self {
            Self::Protobuf => response.encode_to_vec(),
            Self::Json => serde_json::to_vec(&response).expect("a plain struct"),
        }
    }
}

/// A field that JSON readers would skip, since fields they do not know are no mistake.
fn snake_case(json: &Value) -> Option<&str> {
    match json {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            if key.contains('_') { Some(key.as_str()) } else { snake_case(value) }
        }),
        Value::Array(values) => values.iter().find_map(snake_case),
        _ => None,
    }
}

/// The body without its encoding.
pub(super) fn decompress(encoding: Option<&str>, body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let malformed = |error: io::Error| Malformed::new(400, format!("{encoding:?}: {error}"));
    let mut plain = Vec::new();
    match encoding {
        None | Some("identity") => plain.extend_from_slice(body),
        Some("gzip") => {
            GzDecoder::new(body).read_to_end(&mut plain).map_err(malformed)?;
        }
        Some("zstd") => {
            let decoder = StreamingDecoder::new(body);
            let mut decoder = decoder.map_err(|error| malformed(io::Error::other(error)))?;
            decoder.read_to_end(&mut plain).map_err(malformed)?;
        }
        Some(encoding) => return Err(Malformed::new(415, format!("encoding `{encoding}`"))),
    }
    Ok(plain)
}
