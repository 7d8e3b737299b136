//! Answers of collectors.

use std::error::Error;
use std::io;

use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::Value;

use crate::clean::line;
use crate::config::Encoding;
use crate::exporter::Answer;

/// The longest answer that is read. A longer one is an error, as the protocol's specification says.
pub(super) const LARGEST_ANSWER: usize = 4 << 20;

/// The setting that makes spans smaller.
const SMALLER_SPANS: &str = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT shortens the texts of spans, and \
     OTEL_BSP_MAX_EXPORT_BATCH_SIZE makes requests of fewer spans";

/// What a transport makes of an answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// There was no answer in time.
    TimedOut(Answer),
    /// There was no connection, or it was closed.
    Unreachable(Answer),
    /// The server does not take the encoding of the request.
    EncodingRefused(String),
    /// The server does not know who the client is.
    CredentialsRefused(String),
}

impl Reply {
    pub(super) fn into_answer(self) -> Answer {
        match self {
            Self::Answer(answer) | Self::TimedOut(answer) | Self::Unreachable(answer) => answer,
            Self::EncodingRefused(why) | Self::CredentialsRefused(why) => Answer::Refused(why),
        }
    }

    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Answer(Answer::Refused(why.into()))
    }

    /// A refusal of a request in this encoding, which may be what is refused.
    pub(super) fn refused_in(encoding: Option<Encoding>, why: String) -> Self {
        let why_in_lower_case = why.to_ascii_lowercase();
        let names = |encoding: Encoding| {
            ["encoding", "compress", encoding.name()]
                .iter()
                .any(|word| why_in_lower_case.contains(word))
        };
        match encoding {
            Some(encoding) if names(encoding) => Self::EncodingRefused(why),
            _ => Self::refused(why),
        }
    }

    /// A refusal because of the request's size.
    pub(super) fn too_large(why: &str) -> Self {
        Self::refused(format!("{why}; {SMALLER_SPANS}"))
    }
}

/// Whether a request may be retried that was answered with this HTTP status, over HTTP as OTLP's specification
/// says, and over gRPC as [gRPC's mapping of HTTP statuses] says.
///
/// [gRPC's mapping of HTTP statuses]: https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html
pub(super) fn is_retryable(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// An answer says that the request succeeded, and its body cannot be read.
pub(super) fn unreadable(status: &str, why: &str) -> Reply {
    let why = line(why);
    Reply::refused(format!(
        "{status}, but the body is not an OTLP response ({why}), so it is unknown whether the spans were \
         accepted; check that the endpoint is an OTLP endpoint"
    ))
}

/// The request would be larger than the protocol allows.
pub(super) fn too_large_to_send(bytes: usize, limit: usize) -> String {
    format!("a request of {bytes} bytes is over the protocol's limit of {limit}; {SMALLER_SPANS}")
}

/// The answer in a body that says that the request was taken; an error where the body cannot be read.
pub(super) fn parse_success(body: &[u8], json: bool) -> Result<Answer, String> {
    let read = if json { read_json(body) } else { read_protobuf(body) };
    let (rejected, message) = read?;
    let rejected = usize::try_from(rejected).unwrap_or_default();
    let message = match rejected {
        0 => Some(message).filter(|message| !message.is_empty()),
        _ => Some(join_reason("some spans were rejected", &message)),
    };
    Ok(Answer::Taken { rejected, message })
}

fn read_protobuf(body: &[u8]) -> Result<(i64, String), String> {
    let response = ExportTraceServiceResponse::decode(body).map_err(|error| error.to_string())?;
    let partial = response.partial_success.unwrap_or_default();
    Ok((partial.rejected_spans, partial.error_message))
}

/// By the JSON mapping of protocol buffers: fields have two names, integers may be texts, and `null` is
/// nothing.
fn read_json(body: &[u8]) -> Result<(i64, String), String> {
    if body.trim_ascii().is_empty() {
        return Ok((0, String::new()));
    }
    let response: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let Value::Object(response) = response else {
        return Err("the body is not a JSON object".to_owned());
    };
    let partial = match field(&response, ["partialSuccess", "partial_success"]) {
        None => return Ok((0, String::new())),
        Some(Value::Object(partial)) => partial,
        Some(_) => return Err("`partialSuccess` is not an object".to_owned()),
    };
    let rejected = match field(partial, ["rejectedSpans", "rejected_spans"]) {
        None => Some(0),
        Some(Value::Number(number)) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Some(Value::String(text)) => {
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        Some(_) => None,
    };
    let message = match field(partial, ["errorMessage", "error_message"]) {
        None => Some(""),
        Some(message) => message.as_str(),
    };
    let rejected = rejected.ok_or("`rejectedSpans` is not a whole number")?;
    Ok((rejected, message.ok_or("`errorMessage` is not a string")?.to_owned()))
}

fn field<'a>(object: &'a serde_json::Map<String, Value>, names: [&str; 2]) -> Option<&'a Value> {
    names.iter().find_map(|name| object.get(*name)).filter(|value| !value.is_null())
}

#[expect(clippy::cast_possible_truncation, reason = "the value is whole and within the bounds")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e18).then_some(number as i64)
}

/// What a collector says, behind what it means; fit for one line.
pub(super) fn join_reason(meaning: &str, message: &str) -> String {
    match line(message).as_str() {
        "" => meaning.to_owned(),
        message => format!("{meaning}: {message}"),
    }
}

/// The cause of all causes: libraries wrap it in what everybody knows, and in the URL.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = source(cause) {
        cause = source;
    }
    #[cfg(feature = "tls")]
    return super::tls::explain(cause);
    #[cfg(not(feature = "tls"))]
    cause.to_string()
}

/// Whether this error says that nothing listens at the address.
pub(super) fn is_connection_refused(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| source(*error))
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// An I/O error passes over the error that it was made from.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &str) -> Result<(i64, String), String> {
        read_json(body.as_bytes())
    }

    #[test]
    fn all_that_the_json_mapping_allows_is_read() {
        for (body, rejected, message) in [
            ("", 0, ""),
            ("{}", 0, ""),
            (r#"{"partialSuccess":null}"#, 0, ""),
            (r#"{"partialSuccess":{}}"#, 0, ""),
            (r#"{"partialSuccess":{"rejectedSpans":2,"errorMessage":"why"}}"#, 2, "why"),
            (r#"{"partialSuccess":{"rejectedSpans":"2"}}"#, 2, ""),
            (r#"{"partialSuccess":{"rejectedSpans":"2.0","errorMessage":null}}"#, 2, ""),
            (r#"{"partialSuccess":{"rejectedSpans":2e0}}"#, 2, ""),
            (r#"{"partial_success":{"rejected_spans":"7","error_message":"why"}}"#, 7, "why"),
            (r#"{"unknown":[1],"partialSuccess":{"rejectedSpans":1,"more":{}}}"#, 1, ""),
        ] {
            assert_eq!(json(body), Ok((rejected, message.to_owned())), "{body}");
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for body in [
            "ok",
            "[]",
            r#"{"partialSuccess":3}"#,
            r#"{"partialSuccess":{"rejectedSpans":"many"}}"#,
            r#"{"partialSuccess":{"rejectedSpans":1.5}}"#,
            r#"{"partialSuccess":{"rejectedSpans":true}}"#,
            r#"{"partialSuccess":{"errorMessage":5}}"#,
        ] {
            assert!(json(body).is_err(), "{body}");
        }
        assert!(parse_success(b"<html>", false).is_err());
        assert!(matches!(
            parse_success(b"", false),
            Ok(Answer::Taken { rejected: 0, message: None })
        ));
    }

    #[cfg(feature = "gzip")]
    #[test]
    fn a_refusal_that_names_the_encoding_is_one_of_the_encoding() {
        let gzip = Some(Encoding::Gzip);
        let refused = |encoding, why: &str| Reply::refused_in(encoding, why.to_owned());
        let is_of_encoding = |reply| matches!(reply, Reply::EncodingRefused(_));
        assert!(is_of_encoding(refused(gzip, "400: unknown content-encoding")));
        assert!(is_of_encoding(refused(gzip, "Decompressor is not installed for GZIP")));
        assert!(!is_of_encoding(refused(gzip, "400: no such tenant")));
        assert!(!is_of_encoding(refused(None, "400: unknown content-encoding")));
    }
}
