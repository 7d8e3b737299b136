#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "app")]
mod app;
mod attribute;
mod clean;
#[cfg(feature = "app")]
mod config;
mod context;
#[cfg(feature = "app")]
mod delivery;
pub mod device;
#[cfg_attr(
    not(feature = "app"),
    allow(dead_code, unused_imports, reason = "without `app`, only tests record spans")
)]
mod encoding;
#[cfg_attr(not(feature = "app"), expect(dead_code, reason = "only propagators are configured"))]
mod environment;
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/execution.md")]
pub mod execution {}
#[cfg(feature = "app")]
mod exporter;
mod flushed;
mod fork;
#[cfg(any(doc, doctest))]
pub mod guide;
mod internal_threads;
mod lock;
#[cfg(feature = "app")]
mod logs;
mod outcome;
mod propagation;
#[cfg_attr(
    not(feature = "app"),
    allow(dead_code, unused_imports, reason = "without `app`, only tests record spans")
)]
mod recorder;
mod report;
#[cfg(feature = "app")]
mod sampling;
mod sdk;
mod span;
#[cfg(feature = "app")]
mod stats;
pub mod testing;
mod tree;
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/troubleshooting.md")]
pub mod troubleshooting {}

#[doc(hidden)]
pub mod __private;
#[cfg(all(
    any(test, fuzzing),
    feature = "grpc",
    feature = "gzip",
    feature = "http",
    feature = "json",
    feature = "logs",
    feature = "serde"
))]
#[doc(hidden)]
pub mod fuzzing;

pub use opentelemetry::context::WithContext;
pub use opentelemetry::propagation::{Extractor, Injector};
pub use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceId};
pub use opentelemetry::{Context, KeyValue, Value};
#[doc = include_str!("../docs/to_attributes.md")]
pub use spandrel_macros::ToAttributes;
#[doc = include_str!("../docs/propagate.md")]
pub use spandrel_macros::propagate;
#[doc = include_str!("../docs/span.md")]
pub use spandrel_macros::span;
#[cfg(feature = "app")]
#[doc = include_str!("../docs/traced_app.md")]
pub use spandrel_macros::traced_app;

#[cfg(feature = "app")]
pub use app::{AppGuard, after_fork, flush, flush_async, install, sampling, set_sampling, stats};
#[cfg(all(feature = "app", unix))]
pub use app::{ShutdownSignal, shutdown_signal};
#[cfg(feature = "app")]
pub use attribute::redact::Redaction;
pub use attribute::{Attributes, ServerAddress, ToAttribute, ToAttributes};
#[cfg(feature = "app")]
pub use config::{Config, InvalidSampleRules, SampleRate, SampleRules};
pub use context::ToContext;
pub use device::Device;
pub use flushed::Flushed;
pub use outcome::{HandledError, Outcome, ResponseStatus, ToResponseStatus};
pub use propagation::{Carrier, CarrierMut, ProcessEnvironment, TraceContext, extract, inject};
pub use span::adopt::adopt_global_provider;
#[cfg(not(feature = "app"))]
pub use span::adopt::flush;
pub use span::{
    ActiveSpan, Callsite, CurrentSpan, InCurrentTrace, SpanFuture, SpanGuard, SpanStream, Start,
    carry, current, current_trace_id,
};
#[cfg(feature = "app")]
pub use stats::Stats;
