//! The spans of a program that is set up as any other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use spandrel::{AppGuard, Config, testing};

static EXPORTED: Mutex<Vec<SpanData>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Kept;

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        EXPORTED.lock().expect("no panic").extend(batch);
        Ok(())
    }
}

/// A trace of a test's own, which a caller has started.
pub(crate) struct Trace(TraceId);

impl Trace {
    /// Sets telemetry up, for all tests.
    pub(crate) fn new() -> Self {
        static APP: OnceLock<AppGuard> = OnceLock::new();
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        APP.get_or_init(|| spandrel::install(Config::new("web").exporter(Kept)));
        Self(TraceId::from(u128::from(NUMBER.fetch_add(1, Ordering::Relaxed))))
    }

    /// The context of its caller.
    pub(crate) fn context(&self) -> Context {
        let (span, state) = (SpanId::from(1), TraceState::NONE);
        let caller = SpanContext::new(self.0, span, TraceFlags::SAMPLED, true, state);
        Context::new().with_remote_span_context(caller)
    }

    /// The header that continues it.
    pub(crate) fn parent(&self) -> String {
        format!("00-{}-b7ad6b7169203331-01", self.0)
    }

    /// Its spans as text, without attributes that differ from run to run.
    pub(crate) fn spans(&self) -> String {
        assert!(!spandrel::flush(std::time::Duration::from_secs(5)).timed_out);
        let exported = EXPORTED.lock().expect("no panic");
        let spans = exported.iter().filter(|span| span.span_context.trace_id() == self.0);
        let mut spans: Vec<_> = spans.cloned().collect();
        spans.sort_by_key(|span| span.start_time);
        for span in &mut spans {
            span.attributes.retain(|pair| {
                let key = pair.key.as_str();
                // The layer for tower finds a scheme in an absolute URL only.
                !(key == "url.scheme"
                    || key.starts_with("client.")
                    || key.starts_with("network.")
                    || key == "user_agent.original")
            });
        }
        testing::outline(&spans)
    }
}
