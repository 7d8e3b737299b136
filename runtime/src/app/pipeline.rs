//! The way of a span out of the process: recorder, sampler, queue and exporter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::Key;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use super::resource::Described;
use crate::config::{BatchSettings, Destination, SampleRules, Sampling, Settings};
use crate::delivery::{BatchSink, SeveralSinks};
use crate::encoding::Limits;
use crate::exporter::console::Console;
use crate::exporter::{CustomExporter, Exporter};
use crate::recorder::{self, Exceptions, HeldTraces, NativeRecorder};
use crate::report::say;
use crate::sampling::{Sampler, certain};
use crate::sdk::{CustomProcessor, CustomProcessors, Nowhere, Processor, SdkIdGenerator, Sink};
use crate::span::Installation;
use crate::stats::{self, EvictedAccount};

/// What is left of a pipeline once its provider records spans: its other end.
#[derive(Clone)]
pub(crate) struct Pipeline {
    sink: Arc<dyn Sink>,
    /// The traces that are held, if any are kept that are not sampled.
    _held_traces: Option<Arc<EvictedAccount>>,
    processors: CustomProcessors,
    /// How many lost spans a flush has reported.
    reported_losses: Arc<AtomicU64>,
    sampler: Sampler,
}

impl Pipeline {
    /// A pipeline and the provider that feeds it; or, with nothing built, why there is none.
    pub(crate) fn build(settings: Settings) -> Result<(Self, Installation), String> {
        let Settings { service, resource, sampling, destination, batch, limits, .. } = settings;
        let Settings { processors, baggage, exceptions, .. } = settings;
        let is_native = processors.is_empty();
        let described = Described::new(resource, service, is_native);
        let resource = described.of_this_process();
        let service = resource.get(&Key::from_static_str("service.name"));
        let service =
            service.map_or_else(|| "a service without a name".to_owned(), |name| name.to_string());
        let builder = PipelineBuilder {
            sampling,
            limits,
            exceptions: exceptions.into(),
            baggage,
            processors,
            resource,
            is_native,
        };
        let sinks = Sinks { service, described: Arc::new(described) };
        Ok(builder.build(sinks.start(destination, batch)?))
    }

    /// Exports what has ended; whether all of it had arrived or was lost within this time.
    pub(crate) fn flush(&self, budget: Duration) -> bool {
        let deadline = Instant::now().checked_add(budget);
        let processors = self.processors.call_all(|processor| processor.0.force_flush());
        let flushed = self.sink.flush(deadline);
        processors.all_succeed_by(deadline) && flushed
    }

    /// What decides from now on which of the traces that start are sampled.
    pub(super) fn set_sampling(&self, rules: &SampleRules) {
        self.sampler.set(rules);
    }

    /// How many spans were lost since this was last asked.
    pub(crate) fn take_losses(&self) -> u64 {
        let lost = self.sink.stats().lost();
        lost.saturating_sub(self.reported_losses.fetch_max(lost, Ordering::Relaxed))
    }

    /// From now on a span is exported as soon as it ends.
    #[cfg(unix)]
    pub(crate) fn export_at_once(&self) {
        self.sink.export_at_once();
    }

    /// In a child of `fork`.
    pub(crate) fn start_over(&self) {
        self.reported_losses.store(0, Ordering::Relaxed);
        self.sink.start_over();
    }

    /// Whether a span is open that ends with the program.
    pub(crate) fn has_open(&self) -> bool {
        recorder::any_open(self.sink.number())
    }

    /// Ends the spans that are open, marked as interrupted.
    pub(crate) fn interrupt(&self) {
        recorder::interrupt(self.sink.number());
    }

    /// Starts to export what has ended, for a shutdown with this deadline.
    pub(crate) fn start_flush(&self, deadline: Instant) {
        self.sink.start_flush(deadline);
    }

    /// Exports what there is before the deadline, and says what was lost of what had this time. The
    /// program's own processors are told at the same time: the SDK would do it in turn, each with
    /// all of the time.
    pub(crate) fn shut_down(&self, deadline: Instant, budget: Duration) {
        let left = move || deadline.saturating_duration_since(Instant::now());
        let processors =
            self.processors.call_all(move |processor| processor.0.shutdown_with_timeout(left()));
        // That it took too long is in the account.
        let _ = self.sink.shut_down(deadline);
        if let Some(report) = self.sink.report(budget) {
            say(report);
        }
        if !processors.all_succeed_by(Some(deadline)) {
            say("a span processor of the program's own was not shut down in time, or failed");
        }
    }
}

/// What the ends of a pipeline have in common.
struct Sinks {
    service: String,
    described: Arc<Described>,
}

impl Sinks {
    fn start(
        &self,
        destination: Destination,
        batch: BatchSettings,
    ) -> Result<Arc<dyn Sink>, String> {
        match destination {
            Destination::Nowhere => Ok(counted(Nowhere::new())),
            Destination::Console => Ok(counted(Console::start())),
            Destination::Custom(exporter) => {
                exporter.set_resource(&self.described.of_this_process());
                let name = "the program's exporter".to_owned();
                let connect = move || CustomExporter::start(exporter.clone());
                self.batches(batch, name, connect)
            }
            #[cfg(feature = "_otlp")]
            Destination::Otlp(settings) => {
                use crate::exporter::otlp::OtlpExporter;

                let retries_while_closing = settings.endpoint_variable.is_some();
                let batch = BatchSettings { retries_while_closing, ..batch };
                let (name, described) = (settings.destination(), self.described.clone());
                let connect =
                    move || OtlpExporter::connect(&settings, &described.of_this_process());
                self.batches(batch, name.clone(), connect).map_err(|why| format!("{name}: {why}"))
            }
            #[cfg(feature = "json")]
            Destination::Lines(lines) => {
                use crate::exporter::otlp::LineExporter;

                let (name, described) = (lines.name(), self.described.clone());
                let connect =
                    move || LineExporter::open(lines.clone(), &described.of_this_process());
                self.batches(batch, name.clone(), connect).map_err(|why| format!("{name}: {why}"))
            }
            Destination::Several(destinations) => self.several(destinations, batch),
        }
    }

    /// All that can be started; or why none can.
    fn several(
        &self,
        destinations: Vec<Destination>,
        batch: BatchSettings,
    ) -> Result<Arc<dyn Sink>, String> {
        let (mut sinks, mut failures) = (Vec::new(), Vec::new());
        for destination in destinations {
            // What the first one's thread collects has waited already.
            let delay = if sinks.is_empty() { batch.delay } else { Duration::ZERO };
            match self.start(destination, BatchSettings { delay, ..batch }) {
                Ok(sink) => sinks.push(sink),
                Err(why) => failures.push(why),
            }
        }
        let Some(several) = SeveralSinks::new(sinks) else { return Err(failures.join("; ")) };
        for why in failures {
            say(format_args!("{why}; spans do not go there"));
        }
        Ok(Arc::new(several))
    }

    fn batches<E: Exporter>(
        &self,
        batch: BatchSettings,
        destination: String,
        connect: impl Fn() -> Result<E, String> + Send + Sync + 'static,
    ) -> Result<Arc<dyn Sink>, String> {
        let sink = BatchSink::start(Arc::new(connect), batch, &self.service, destination)?;
        Ok(counted(sink))
    }
}

/// A sink whose spans are in the account of the process.
fn counted<S: Sink + 'static>(sink: S) -> Arc<dyn Sink> {
    let sink = Arc::new(sink);
    stats::open(&sink);
    sink
}

/// A pipeline but for its end.
struct PipelineBuilder {
    sampling: Sampling,
    limits: Limits,
    exceptions: Exceptions,
    baggage: Vec<Key>,
    processors: Vec<CustomProcessor>,
    resource: Resource,
    /// Whether spans are recorded by our own recorder. The SDK's is for span processors of the program's own, which see
    /// its spans.
    is_native: bool,
}

impl PipelineBuilder {
    fn build(self, sink: Arc<dyn Sink>) -> (Pipeline, Installation) {
        if self.is_native { self.native(sink) } else { self.by_sdk(sink) }
    }

    fn native(self, sink: Arc<dyn Sink>) -> (Pipeline, Installation) {
        let Self { sampling, limits, exceptions, baggage, processors, resource, .. } = self;
        let held_traces = sampling.keep.anything().then(|| {
            let certain = sampling.consistent.then_some(certain as fn(&str) -> String);
            HeldTraces::new(sampling.keep, certain)
        });
        let sampler = Sampler::new(&sampling);
        let native = NativeRecorder {
            pipeline: Some(sink.number()),
            outlet: sink.clone(),
            sampler: Some(Arc::new(sampler.clone())),
            held_traces: held_traces.clone(),
            limits,
            exceptions,
            baggage,
        };
        let held_traces = held_traces.map(|held_traces| Arc::new(EvictedAccount(held_traces)));
        held_traces.iter().for_each(stats::open);
        let processors = CustomProcessors::new(processors, &resource);
        let reported_losses = Arc::default();
        let pipeline =
            Pipeline { sink, _held_traces: held_traces, processors, reported_losses, sampler };
        (pipeline, Installation::Native(Arc::new(native)))
    }

    /// The SDK records the spans: processors of the program's own see its spans.
    fn by_sdk(self, sink: Arc<dyn Sink>) -> (Pipeline, Installation) {
        let Self { sampling, limits, baggage, processors, resource, .. } = self;
        if sampling.keep.anything() {
            say("`keep` has no effect beside a span processor of the program's own");
        }
        let processors = CustomProcessors::new(processors, &resource);
        let sampler = Sampler::new(&sampling);
        let builder = SdkTracerProvider::builder()
            .with_id_generator(SdkIdGenerator)
            .with_sampler(sampler.clone())
            .with_span_limits(limits.into())
            .with_resource(resource);
        let processor = Processor {
            outlet: sink.clone(),
            pipeline: sink.number(),
            sink: Some(sink.clone()),
            limits,
            baggage,
        };
        // Ours first: what another does, in a panic say, is none of its affair.
        let builder = processors.iter().cloned().fold(
            builder.with_span_processor(processor),
            TracerProviderBuilder::with_span_processor,
        );
        let reported_losses = Arc::default();
        let pipeline = Pipeline { sink, _held_traces: None, processors, reported_losses, sampler };
        (pipeline, Installation::Sdk(builder.build(), limits.into()))
    }
}
