//! An exporter of the program's own, as a configuration holds it.

use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::lock::Unpoisoned;

/// An exporter whose type is forgotten.
#[derive(Clone)]
pub(crate) struct Custom(Arc<RwLock<dyn Export>>);

impl Custom {
    pub(crate) fn new(exporter: impl SpanExporter + 'static) -> Self {
        Self(Arc::new(RwLock::new(exporter)))
    }

    pub(crate) fn get(&self) -> RwLockReadGuard<'_, dyn Export> {
        self.0.read().unpoisoned()
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

/// A `SpanExporter` as an object.
pub(crate) trait Export: Send + Sync {
    fn export_boxed(&self, spans: Vec<SpanData>) -> Exported<'_>;
    fn shut_down_within(&self, timeout: Duration);
    fn set_resource_of(&mut self, resource: &Resource);
}

pub(crate) type Exported<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

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
