//! An exporter whose failures are counted and said.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::config::without_secrets;
use crate::report::say;
use crate::stats::Account;

#[derive(Debug)]
pub(crate) struct Accounted<E> {
    exporter: E,
    account: Arc<Account>,
    failures: Arc<Failures>,
}

/// Why spans were lost on the way to a URL.
#[derive(Debug)]
pub(crate) struct Failures {
    url: String,
    last: Mutex<Option<String>>,
    told: AtomicBool,
}

impl<E> Accounted<E> {
    pub(crate) fn new(exporter: E, account: Arc<Account>, failures: Arc<Failures>) -> Self {
        Self { exporter, account, failures }
    }
}

impl Failures {
    pub(crate) fn to(url: &str) -> Self {
        Self { url: url.to_owned(), last: Mutex::default(), told: AtomicBool::new(false) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The reason of the last failure.
    pub(crate) fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says nothing from now on: the account at shutdown will.
    pub(crate) fn silence(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    fn add(&self, error: &OTelSdkError) {
        let reason = without_secrets(&reason(error), &self.url);
        if !self.told.swap(true, Ordering::Relaxed) {
            say(format_args!("spans are being lost: {reason}; how many is told at the end"));
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

/// The error without the words that the SDK puts round each.
fn reason(error: &OTelSdkError) -> String {
    match error {
        OTelSdkError::InternalFailure(reason) => reason.clone(),
        other => other.to_string(),
    }
}

impl<E: SpanExporter> SpanExporter for Accounted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) => self.account.export(spans),
            Err(error) => {
                self.account.fail(spans);
                self.failures.add(error);
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
