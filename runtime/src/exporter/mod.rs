//! Exporters: what batches are handed to, and how they answer.

pub(crate) mod console;
mod custom;
#[cfg(feature = "_otlp")]
pub(crate) mod otlp;

use std::sync::Arc;
use std::time::Duration;

use crate::recorder::Batch;

pub(crate) use custom::CustomExporter;

/// Makes an exporter, in the runtime that it is to work in; again after a `fork`, where nothing of
/// the parent's connections may be used.
pub(crate) type Connect<E> = Arc<dyn Fn() -> Result<E, String> + Send + Sync>;

/// Sends batches somewhere, one try at a time.
pub(crate) trait Exporter: Send + Sync + 'static {
    /// As many requests may be on their way, or wait to be tried again.
    const AT_ONCE: usize;

    /// A batch as it is sent, as often as it takes.
    type Request: Send + Sync;

    /// The request with these spans; or why there can be none.
    fn encode(&self, batch: &Batch) -> Result<Self::Request, String>;

    fn send(&self, request: &Self::Request) -> impl Future<Output = Answer> + Send;

    /// After the last batch.
    fn shut_down(&self, _timeout: Duration) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It was taken, but for so many spans; with what there was to say to that.
    Taken { rejected: usize, message: Option<String> },
    /// It will never be taken.
    Refused(String),
    /// It may be taken later.
    #[cfg_attr(not(feature = "_otlp"), expect(dead_code, reason = "others try again themselves"))]
    Unavailable { why: String, retry_after: Option<Duration> },
}

impl Answer {
    pub(crate) const TAKEN: Self = Self::Taken { rejected: 0, message: None };
}
