//! Anybody's exporter. It tries again itself, as the specification has it.

use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::RwLock;

use super::{Answer, Exporter};

/// An exporter whose type is forgotten.
#[derive(Clone)]
pub(crate) struct Custom(Arc<RwLock<dyn Export>>);

impl Custom {
    pub(crate) fn new(exporter: impl SpanExporter + 'static) -> Self {
        Self(Arc::new(RwLock::new(exporter)))
    }

    /// Before anything is exported.
    pub(crate) fn set_resource(&self, resource: &Resource) {
        if let Ok(mut exporter) = self.0.try_write() {
            exporter.set_resource_of(resource);
        }
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Debug for Custom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Custom").finish_non_exhaustive()
    }
}

impl Exporter for Custom {
    /// The specification promises exporters that.
    const AT_ONCE: usize = 1;

    type Request = Mutex<Vec<SpanData>>;

    fn encode(&self, spans: Vec<SpanData>) -> Self::Request {
        Mutex::new(spans)
    }

    async fn send(&self, request: &Self::Request) -> Answer {
        let spans = std::mem::take(&mut *request.lock().unwrap_or_else(PoisonError::into_inner));
        match self.0.read().await.export_boxed(spans).await {
            Ok(()) => Answer::TAKEN,
            Err(OTelSdkError::InternalFailure(why)) => Answer::Refused(why),
            Err(error) => Answer::Refused(error.to_string()),
        }
    }

    async fn shut_down(&self, timeout: Duration) {
        self.0.read().await.shut_down_within(timeout);
    }
}

/// A `SpanExporter` as an object.
trait Export: Send + Sync {
    fn export_boxed(&self, spans: Vec<SpanData>) -> Exported<'_>;
    fn shut_down_within(&self, timeout: Duration);
    fn set_resource_of(&mut self, resource: &Resource);
}

type Exported<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

impl<E: SpanExporter> Export for E {
    fn export_boxed(&self, spans: Vec<SpanData>) -> Exported<'_> {
        Box::pin(self.export(spans))
    }

    fn shut_down_within(&self, timeout: Duration) {
        // What it says of its end changes nothing any more.
        let _ = self.shutdown_with_timeout(timeout);
    }

    fn set_resource_of(&mut self, resource: &Resource) {
        self.set_resource(resource);
    }
}
