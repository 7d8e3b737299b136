//! What telemetry does: the program's defaults, and the environment that overrides them.

mod batch;
mod custom;
mod headers;
mod limits;
mod otlp;
mod sample_rules;
mod sampling;
mod settings;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "_otlp")]
mod url;

use std::fmt::Display;
use std::time::Duration;

use opentelemetry::{Key, KeyValue, Value};

use crate::attribute::redact::{Redaction, Redactor};
use crate::attribute::{Attributes, ToAttribute, ToAttributes};
use crate::sdk::CustomProcessor;

pub(crate) use batch::BatchSettings;
pub(crate) use custom::{Custom, Exported};
pub(crate) use headers::HeadersFunction;
#[cfg(feature = "_otlp")]
pub(crate) use otlp::{Encoding, Otlp, Protocol, secret_header};
pub use sample_rules::{InvalidSampleRules, SampleRate, SampleRules};
pub(crate) use sampling::Sampling;
#[cfg(feature = "json")]
pub(crate) use settings::Lines;
pub(crate) use settings::{Destination, ExceptionSignal, Settings};
#[cfg(feature = "tls")]
pub(crate) use tls::Tls;
#[cfg(feature = "_otlp")]
pub(crate) use url::printable;
#[cfg(feature = "grpc")]
pub(crate) use url::without_user;

/// Longer than any program is waited for, and short enough to be added to any time.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// The configuration of [`install`](crate::install): defaults that the environment overrides.
///
/// ```
/// use std::time::Duration;
/// use spandrel::Config;
///
/// let config = Config::new("checkout")
///     .resource("deployment.environment.name", "prod")
///     .sample(0.1)
///     .flush(Duration::from_secs(2));
/// ```
///
/// # Variables
///
/// The environment is read once, when telemetry is installed. An empty variable counts as unset. A
/// value that makes no sense is named on standard error with what was expected, and the default
/// holds: telemetry never stops a program from starting.
///
#[doc = include_str!("../../docs/variables.md")]
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is installed"]
pub struct Config {
    resource: Vec<KeyValue>,
    version: Option<&'static str>,
    sampling: Sampling,
    batch: BatchSettings,
    exporter: Option<Custom>,
    headers: Option<HeadersFunction>,
    processors: Vec<CustomProcessor>,
    baggage: Vec<Key>,
    redact: Option<Redactor>,
    code: bool,
    flush: Duration,
    grace: Option<Duration>,
    #[cfg(feature = "logs")]
    pub(crate) logs: bool,
}

impl Config {
    /// A configuration for the service of this name: the resource attribute `service.name`.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            resource: vec![KeyValue::new("service.name", service.into())],
            version: None,
            sampling: Sampling::default(),
            batch: BatchSettings::default(),
            exporter: None,
            headers: None,
            processors: Vec::new(),
            baggage: Vec::new(),
            redact: None,
            code: false,
            flush: Duration::from_secs(4),
            grace: None,
            #[cfg(feature = "logs")]
            logs: false,
        }
    }

    /// The service's version, `service.version`, unless the environment or [`resource`](Self::resource) says otherwise.
    /// `#[traced_app]` gives the version of the crate that it is in. Default: none.
    pub fn version(mut self, version: impl Into<Option<&'static str>>) -> Self {
        self.version = version.into();
        self
    }

    /// An attribute of the service, on all its spans. It wins over one of the same key that the environment names or
    /// that is detected. Detected are, with feature `resource`: `service.instance.id`, `host.name`, `host.arch`, `host.id`,
    /// `os.type`, `process.pid`, `process.executable.name` and `container.id`, each where it can be found out.
    pub fn resource(mut self, key: impl Into<Key>, value: &(impl ToAttribute + ?Sized)) -> Self {
        if let Some(value) = value.to_attribute() {
            self.resource.push(KeyValue::new(key, value));
        }
        self
    }

    /// A group of attributes of the service, on all its spans.
    pub fn resource_group(mut self, group: &(impl ToAttributes + ?Sized)) -> Self {
        let mut attributes = Attributes::default();
        group.to_attributes(&mut attributes);
        self.resource.extend(attributes.into_vec());
        self
    }

    /// How many of the traces that start here are sampled, from 0 to 1. Default: 1, all. A trace
    /// that started elsewhere is sampled as its caller did. A value out of range counts as the
    /// nearest in it.
    pub fn sample(mut self, ratio: f64) -> Self {
        self.sampling.rules.rate = SampleRate::Ratio(ratio);
        self
    }

    /// As [`sample`](Self::sample), at most this many traces a second: [`SampleRate::PerSecond`].
    pub fn sample_per_second(mut self, traces: f64) -> Self {
        self.sampling.rules.rate = SampleRate::PerSecond(traces);
        self
    }

    /// An exception from [`sample`](Self::sample): the rate of local traces whose first span has a name that this
    /// pattern matches. Of several rules, the first that matches decides. [`SampleRules`] says what a pattern is, and
    /// what a rule means under a caller's decision. `SPANDREL_SAMPLE_RULES` overrides all rules, and
    /// [`set_sampling`](crate::set_sampling) changes them while the program runs. Default: none.
    ///
    /// ```
    /// use spandrel::Config;
    ///
    /// let config = Config::new("shop").sample(0.1).sample_rule("GET /health", 0.0);
    /// ```
    pub fn sample_rule(mut self, pattern: impl Into<String>, rate: impl Into<SampleRate>) -> Self {
        self.sampling.rules = self.sampling.rules.rule(pattern, rate);
        self
    }

    /// As [`sample`](Self::sample), by OpenTelemetry's [consistent probability
    /// sampling](https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/):
    /// the threshold is written into the `tracestate` (`ot=th:…`), so that backends can count what
    /// the samples stand for, and samplers further on can build on it.
    pub fn sample_consistently(mut self, ratio: f64) -> Self {
        self.sampling.consistent = true;
        self.sample(ratio)
    }

    /// Keeps traces that were not sampled when one of their spans fails: they are recorded, held
    /// in memory until their last span in this process has ended, and then exported whole or dropped.
    /// What is sent to other services still says that the trace is not sampled.
    ///
    /// At most 10 000 spans, or about 16 MiB of them, are held. When there are more, the oldest
    /// trace is evicted and counted in [`Stats::evicted`](crate::Stats::evicted).
    pub fn keep_errors(mut self) -> Self {
        self.sampling.keep.errors = true;
        self
    }

    /// As [`keep_errors`](Self::keep_errors), for traces with a span that takes this long.
    pub fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.sampling.keep.slower_than = Some(duration);
        self
    }

    /// Exports by this exporter where the environment names none (`OTEL_TRACES_EXPORTER`). It gets
    /// batches one after the other, on a thread of its own, where it may block, and where its futures find
    /// a tokio runtime. `opentelemetry-otlp` works there with each of its HTTP clients, and over gRPC if
    /// the runtime in which its channel was made still runs during the last flush. The exporter itself has to
    /// try again: a batch that it fails is lost, and counted.
    pub fn exporter(
        mut self,
        exporter: impl opentelemetry_sdk::trace::SpanExporter + 'static,
    ) -> Self {
        self.exporter = Some(Custom::new(exporter));
        self
    }

    /// Adds the headers that this function gives to each request to the collector: a token that expires, for example. They
    /// replace headers of the same names in `OTEL_EXPORTER_OTLP_HEADERS`. Default: none.
    ///
    /// The function is called before each attempt, one call at a time, on a thread of the library's where it may block:
    /// keep what it has fetched as long as that is valid. If it fails, panics, or takes longer than the
    /// request may (`OTEL_EXPORTER_OTLP_TIMEOUT`), the batch is retried. While a call does not return, there is no other, and
    /// nothing is exported. If the collector answers
    /// that the credentials are not valid (HTTP 401, gRPC `UNAUTHENTICATED`), the function is called again, and the
    /// request is made once more.
    ///
    /// ```
    /// use spandrel::Config;
    ///
    /// fn authorization() -> std::io::Result<[(&'static str, String); 1]> {
    ///     let token = std::fs::read_to_string("/var/run/secrets/token")?;
    ///     Ok([("authorization", format!("Bearer {}", token.trim()))])
    /// }
    ///
    /// let config = Config::new("shop").headers(authorization);
    /// ```
    pub fn headers<H, K, V, E>(
        mut self,
        headers: impl Fn() -> Result<H, E> + Send + Sync + 'static,
    ) -> Self
    where
        H: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
        E: Display,
    {
        self.headers = Some(HeadersFunction::new(move || {
            let given = headers().map_err(|error| error.to_string())?;
            Ok(given.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
        }));
        self
    }

    /// Shows every recorded span to this processor of OpenTelemetry's SDK too, when it starts and
    /// when it ends, on the thread where it does: what takes time or waits there, the program waits
    /// for. Those that are only recorded for [`keep_errors`](Self::keep_errors) are not sampled. It
    /// flushes and shuts down on a thread beside ours, within the same time. Where it panics
    /// no span is lost. May be called for several. Default: none.
    pub fn processor(
        mut self,
        processor: impl opentelemetry_sdk::trace::SpanProcessor + 'static,
    ) -> Self {
        self.processors.push(CustomProcessor::new(processor));
        self
    }

    /// How many spans may wait for a request to carry them, beside those in up to eight requests
    /// that are on their way or to be made again; more are dropped. Default: 2048; at most
    /// 1 048 576. Together, the spans that wait and those in requests take 64 MiB of memory at most, as the bytes of
    /// OTLP; spans that do not fit are dropped as well.
    pub fn batch_queue(mut self, spans: usize) -> Self {
        self.batch.queue = spans.clamp(1, BatchSettings::LARGEST_QUEUE);
        self
    }

    /// How many spans are exported in one request. Default: 512, and never more than the queue.
    pub fn batch_size(mut self, spans: usize) -> Self {
        self.batch.size = spans.max(1);
        self
    }

    /// How long a batch that is not full waits. Default: 5 s. With zero, spans are exported as soon as they end
    /// and a request is free.
    pub fn batch_delay(mut self, delay: Duration) -> Self {
        self.batch.delay = delay.min(LONGEST);
        self
    }

    /// Entries of W3C Baggage that are copied to every span started under them, as attributes of
    /// the same names. Default: none, for what others send is theirs to name.
    pub fn baggage(mut self, keys: impl IntoIterator<Item: Into<Key>>) -> Self {
        self.baggage.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Shows each attribute to this function before it is recorded: key and value of the attributes of spans, of their
    /// events and of their links. `exception.message` and `exception.stacktrace` are attributes of an event, and the description of
    /// a span's status is shown as `otel.status_description`. The function keeps, replaces or removes what it sees. Default: none,
    /// which costs nothing.
    ///
    /// The function runs on the program's thread each time that something is recorded, so it has to be quick. It records
    /// nothing itself: spans that it starts are not recorded, and what it panics on is not recorded either. It must not touch
    /// the current span through OpenTelemetry's API, whose lock may be held meanwhile. It does not see span names, event names and
    /// attributes of the [resource](Self::resource), which the program chooses, nor log lines. A
    /// [`processor`](Self::processor) of the program's sees spans before this function.
    ///
    /// ```
    /// use spandrel::{Config, Redaction};
    ///
    /// let config = Config::new("shop").redact(|key, value| match key {
    ///     "user.password" => Redaction::Remove,
    ///     _ if value.as_str().contains("Bearer ") => Redaction::Replace("[redacted]".into()),
    ///     _ => Redaction::Keep,
    /// });
    /// ```
    pub fn redact(
        mut self,
        redact: impl Fn(&str, &Value) -> Redaction + Send + Sync + 'static,
    ) -> Self {
        self.redact = Some(Redactor::new(redact));
        self
    }

    /// Records on each span where it is in the source: `code.function.name`, `code.file.path` and `code.line.number`, after
    /// the [semantic conventions](https://opentelemetry.io/docs/specs/semconv/registry/attributes/code/). The path of the
    /// file is as the compiler sees it, in most cases relative to the workspace. A [`Callsite`](crate::Callsite) that is
    /// made by hand says [`at`](crate::Callsite::at) which place it is. Default: not recorded.
    pub fn code(mut self) -> Self {
        self.code = true;
        self
    }

    /// How long the last flush may take: when the last guard is dropped, the process exits, or a signal
    /// ends it. `SPANDREL_FLUSH` overrides it. Default: 4 s.
    pub fn flush(mut self, budget: Duration) -> Self {
        self.flush = budget.min(LONGEST);
        self
    }

    /// How long the platform waits from SIGTERM to SIGKILL: `terminationGracePeriodSeconds` of Kubernetes, for
    /// example. Where it is set, the last flush takes no longer than what is left of it since the first
    /// SIGTERM or SIGINT, and at least half a second. It never makes the program end sooner. Default: not set.
    pub fn grace(mut self, period: Duration) -> Self {
        self.grace = Some(period.min(LONGEST));
        self
    }

    /// Log lines on standard error, for what the program and its libraries say through `log` and
    /// `tracing`: text where that is a terminal, elsewhere JSON, an object a line. Default: none.
    ///
    /// ```text
    /// {"timestamp":"2026-01-31T12:00:00.000001Z","level":"INFO","target":"shop","message":"paid","fields":{"cents":990},"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"01"}
    /// ```
    ///
    /// The ids are those of the current span, or of the caller's where none records here, under the
    /// names of the [specification]; without a trace they are absent, and so is `fields` without
    /// any. What is logged is decided by `RUST_LOG`, in the syntax of `tracing-subscriber`: default
    /// `info`. Where tracing is disabled, lines are still written.
    ///
    /// Spans that libraries make with `tracing` join the traces: under our spans and over them, from
    /// `info` on whatever `RUST_LOG` says, below that where it says so
    /// (`RUST_LOG=info,tower_http=debug`). An event of level `ERROR` marks such a span as failed.
    /// Spans of `reqwest`, `tonic` and what they are built on are left out: exporters may use them
    /// too.
    ///
    /// Into tasks and threads, [`in_current_trace`](crate::InCurrentTrace::in_current_trace) and
    /// [`carry`](crate::carry) take both kinds along; `in_current_span` of `tracing` takes its own.
    ///
    /// A program that has set a subscriber of `tracing`, or a logger of `log`, keeps it; one line
    /// says so.
    ///
    /// [specification]: https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
    #[cfg(feature = "logs")]
    pub fn logs(mut self) -> Self {
        self.logs = true;
        self
    }

    /// Says which feature it needs, where `#[traced_app(…, logs)]` calls it.
    #[cfg(not(feature = "logs"))]
    #[doc(hidden)]
    pub fn logs(self) -> Self
    where
        // Without the lifetime, the bound would be checked here, and not where it is called.
        for<'a> FeatureLogs: Enabled,
    {
        self
    }
}

#[cfg(not(feature = "logs"))]
#[diagnostic::on_unimplemented(
    message = "`logs` needs spandrel's feature `logs`",
    label = "not in this build",
    note = "add it: `cargo add spandrel --features logs`"
)]
#[doc(hidden)]
pub trait Enabled {}

#[cfg(not(feature = "logs"))]
#[derive(Debug)]
#[doc(hidden)]
pub struct FeatureLogs;
