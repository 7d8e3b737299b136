//! A small OTLP receiver for the examples: HTTP with protobuf, on a free port of this machine. It
//! keeps the spans of every process that reports to it, and draws a trace as one tree, with
//! `service.name` on each span whose parent is another service's.

mod receiver;
mod span;

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;
use spandrel::testing::{drawing, outline};
use tokio::sync::oneshot;

pub use span::Span;

/// Receives for as long as it lives.
#[derive(Debug)]
pub struct Collector {
    endpoint: String,
    store: Arc<Store>,
    /// The receiver stops when this is dropped.
    _running: oneshot::Sender<()>,
}

impl Collector {
    /// Listens on a free port of the loopback address.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let store = Arc::new(Store::default());
        let (running, stopped) = oneshot::channel();
        receiver::spawn(listener, store.clone(), stopped)?;
        Ok(Self { endpoint, store, _running: running })
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The ids of the traces, in the order they came.
    pub fn traces(&self) -> Vec<String> {
        let mut traces = Vec::new();
        for id in self.store.lock().iter().map(Span::trace_id) {
            if !traces.contains(&id) {
                traces.push(id);
            }
        }
        traces
    }

    /// What has come of a trace, by the time it started.
    pub fn spans(&self, trace_id: &str) -> Vec<Span> {
        of_trace(&self.store.lock(), trace_id)
    }

    /// What has come of a trace as soon as that is enough; `None` when the time is over before.
    pub fn wait_for(
        &self,
        trace_id: &str,
        enough: impl Fn(&[Span]) -> bool,
        timeout: Duration,
    ) -> Option<Vec<Span>> {
        let waits = |spans: &mut Vec<Span>| !enough(&of_trace(spans, trace_id));
        let waited = self.store.came.wait_timeout_while(self.store.lock(), timeout, waits);
        let (spans, result) = waited.unwrap_or_else(PoisonError::into_inner);
        (!result.timed_out()).then(|| of_trace(&spans, trace_id))
    }

    /// The trace with its times, for people; `None` when nothing has come of it.
    pub fn tree(&self, trace_id: &str) -> Option<String> {
        self.show(trace_id, drawing)
    }

    /// The trace as tests compare it: without times and ids.
    pub fn outline(&self, trace_id: &str) -> Option<String> {
        self.show(trace_id, outline)
    }

    fn show(&self, trace_id: &str, show: impl Fn(&[SpanData]) -> String) -> Option<String> {
        let spans = self.spans(trace_id);
        (!spans.is_empty()).then(|| show(&with_services(spans)))
    }
}

fn of_trace(spans: &[Span], trace_id: &str) -> Vec<Span> {
    let mut spans: Vec<_> =
        spans.iter().filter(|span| span.trace_id() == trace_id).cloned().collect();
    spans.sort_by_key(|span| span.data.start_time);
    spans
}

fn with_services(spans: Vec<Span>) -> Vec<SpanData> {
    let services: HashMap<_, _> =
        spans.iter().map(|span| (span.data.span_context.span_id(), span.service.clone())).collect();
    let told = spans.into_iter().map(|Span { service, mut data }| {
        if services.get(&data.parent_span_id) != Some(&service) {
            data.attributes.insert(0, KeyValue::new("service.name", service));
        }
        data
    });
    told.collect()
}

/// What has come, from all processes.
#[derive(Debug, Default)]
struct Store {
    spans: Mutex<Vec<Span>>,
    came: Condvar,
}

impl Store {
    fn add(&self, spans: impl IntoIterator<Item = Span>) {
        self.lock().extend(spans);
        self.came.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
