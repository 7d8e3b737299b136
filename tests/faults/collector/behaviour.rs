//! What the collector does with a request.

use std::time::Duration;

/// A way to answer, or not to. Only what is taken is acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Behaviour {
    Take,
    /// Takes all but the last so many spans.
    Partial {
        rejected: i64,
        message: &'static str,
    },
    /// This HTTP status, or the gRPC status that says the same; with the seconds to wait as
    /// `retry-after` or `RetryInfo`.
    Status {
        code: u16,
        retry_after: Option<u64>,
    },
    /// A TCP reset, before the body is read.
    ResetOnHeaders,
    /// A TCP reset, after the whole request was read.
    ResetAfterBody,
    /// The first half of a success; over HTTP the status is in it, over gRPC the stream is cancelled
    /// before its trailers.
    HalfAnswer,
    /// Reads everything and says nothing.
    Hang,
    /// Takes, and says so after this long, if the client still waits.
    Slow(Duration),
    /// Bytes that are no HTTP.
    Garbage,
    /// Takes, and says so in a message that cannot be decoded.
    GarbageMessage,
    /// A page with this HTTP status, where an OTLP answer is expected: what a proxy says.
    Page {
        code: u16,
    },
    /// Takes what is not compressed, and refuses the rest.
    TakeUncompressed,
    /// Refuses, because the request is compressed.
    EncodingRefused,
    /// Takes, and says so at great length.
    LargeAnswer,
    /// Refuses, with details that are no base64 over gRPC, and no message over HTTP.
    GarbageDetails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

impl Behaviour {
    /// How many spans are acknowledged, of this many.
    pub(super) fn takes(&self, spans: usize, protocol: Protocol) -> usize {
        match self {
            Self::Take | Self::Slow(_) | Self::GarbageMessage | Self::LargeAnswer => spans,
            Self::HalfAnswer if protocol == Protocol::Http => spans,
            Self::Partial { rejected, .. } => {
                spans.saturating_sub(usize::try_from(*rejected).unwrap_or(0))
            }
            _ => 0,
        }
    }
}
