//! A refusal: `google.rpc.Status`, with the time to wait as its `RetryInfo`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use prost::Message;

use super::body::Format;

pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    /// The gRPC status that says the same as this one of HTTP.
    pub(super) fn grpc_code(&self) -> i32 {
        match self.code {
            400 | 415 => INVALID_ARGUMENT,
            401 => UNAUTHENTICATED,
            403 => PERMISSION_DENIED,
            404 | 405 => UNIMPLEMENTED,
            429 => RESOURCE_EXHAUSTED,
            500 => INTERNAL,
            502..=504 => UNAVAILABLE,
            _ => UNKNOWN,
        }
    }

    pub(super) fn message(&self) -> String {
        format!("told to answer {}", self.code)
    }

    /// The body of an HTTP answer.
    pub(super) fn body(&self, format: Format) -> Vec<u8> {
        let Status { code, message, .. } = self.status();
        match format {
            Format::Protobuf => self.status().encode_to_vec(),
            Format::Json => {
                serde_json::json!({ "code": code, "message": message }).to_string().into()
            }
        }
    }

    /// The trailer `grpc-status-details-bin`.
    pub(super) fn details(&self) -> String {
        STANDARD_NO_PAD.encode(self.status().encode_to_vec())
    }

    fn status(&self) -> Status {
        let details = self.retry_after.map(|seconds| {
            let seconds = i64::try_from(seconds).expect("not that long");
            let retry_delay = Some(Duration { seconds, nanos: 0 });
            Any {
                type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
                value: RetryInfo { retry_delay }.encode_to_vec(),
            }
        });
        let details = details.into_iter().collect();
        Status { code: self.grpc_code(), message: self.message(), details }
    }
}

const UNKNOWN: i32 = 2;
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

#[derive(Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Duration>,
}

#[derive(Message)]
struct Duration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
