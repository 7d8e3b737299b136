//! The recorder that is installed in the process, and the one of a context.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanKind, TraceContextExt};
use opentelemetry::{Context, global};
#[cfg(feature = "app")]
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::cached_recorder::CachedRecorder;
use super::tracer::{Provider, Tracer};
use super::{ActiveRecorder, KnownRecorded, Recorder, RecorderOptions};
use crate::context;
use crate::lock::Unpoisoned;
#[cfg(feature = "app")]
use crate::recorder::NativeRecorder;
use crate::recorder::{Exceptions, InstrumentedCrate};
#[cfg(feature = "app")]
use crate::sdk::Capacity;
use crate::span::device_waiter::DeviceWaiter;

/// Which spans are known not to be recorded before they start: a [`Pruning`].
static PRUNING: AtomicU8 = AtomicU8::new(Pruning::Nothing as u8);
/// Whether rules decide by the name that a span starts with.
static SAMPLES_BY_NAME: AtomicBool = AtomicBool::new(false);
/// How often another one was installed, or none.
static GENERATION: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: RwLock<Option<ActiveRecorder>> = RwLock::new(None);

/// Which spans are known not to be recorded before they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pruning {
    Nothing,
    /// Those under a span that is not sampled: the sampler is ours and follows the parent, and nothing is kept.
    UnderUnsampled,
    /// And those that start a trace which is not sampled.
    Unsampled,
}

/// What is known of the sampler before it is asked.
#[cfg(feature = "app")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct SamplingHints {
    pub(crate) pruning: Pruning,
    /// Whether rules decide by the name that a span starts with.
    pub(crate) by_name: bool,
}

#[cfg(feature = "app")]
impl SamplingHints {
    pub(crate) fn set(self) {
        PRUNING.store(self.pruning as u8, Ordering::Relaxed);
        SAMPLES_BY_NAME.store(self.by_name, Ordering::Relaxed);
    }
}

/// How the spans of a pipeline are recorded.
#[cfg(feature = "app")]
pub(crate) enum Installation {
    Native(Arc<NativeRecorder>),
    /// By the SDK, whose spans hold so much.
    Sdk(SdkTracerProvider, Capacity),
}

/// What is known of a span before it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::span) enum Forecast {
    /// Nothing.
    Open,
    /// It is under a span that is not sampled, and neither is it.
    Unsampled,
    /// It starts a trace, which may be one that is not sampled.
    Root,
}

/// The recorder of a context.
pub(in crate::span) enum CurrentRecorder {
    /// The installed one, as this thread knows it.
    Installed(Rc<CachedRecorder>),
    Adopted(Arc<Recorder>),
    Scoped(Arc<Recorder>),
}

impl Recorder {
    /// Makes this recorder the one that records; `false` when there is one already.
    #[cfg(feature = "app")]
    pub(crate) fn install(
        installation: Installation,
        options: RecorderOptions,
        sampling: SamplingHints,
    ) -> bool {
        let provider = match installation {
            Installation::Native(native) => Provider::Native(native),
            Installation::Sdk(provider, capacity) => Provider::Ours { provider, capacity },
        };
        let installed = Self::set(provider, options);
        if installed {
            sampling.set();
        }
        installed
    }

    /// Makes OpenTelemetry's global provider the one that records; `false` when there is another
    /// one already.
    pub(crate) fn adopt() -> bool {
        let provider = Provider::global(global::tracer_provider());
        Self::set(provider, RecorderOptions::new(KnownRecorded::Nothing))
    }

    /// A provider of the program's own may be adopted again, to replace it.
    fn set(provider: Provider, options: RecorderOptions) -> bool {
        let mut installed = INSTALLED.write().unpoisoned();
        let free = installed.as_ref().is_none_or(|ActiveRecorder(recorder)| recorder.is_adopted());
        let mut replaced = None;
        if free {
            replaced = installed.replace(Self::activate(provider, options));
            GENERATION.fetch_add(1, Ordering::Release);
        }
        drop(installed);
        // Only now: the program's own provider may record while it shuts down.
        drop(replaced);
        free
    }

    /// Records no more.
    #[cfg(feature = "app")]
    pub(crate) fn uninstall() {
        let mut installed = INSTALLED.write().unpoisoned();
        let ours = installed.take_if(|ActiveRecorder(recorder)| !recorder.is_adopted());
        SamplingHints { pruning: Pruning::Nothing, by_name: false }.set();
        GENERATION.fetch_add(1, Ordering::Release);
        drop(installed);
        CachedRecorder::forget();
        // Only now: what is dropped with it may be the program's.
        drop(ours);
    }

    /// Changes, under the lock, with what is installed.
    fn generation() -> usize {
        GENERATION.load(Ordering::Acquire)
    }

    fn prunes(what: Pruning) -> bool {
        PRUNING.load(Ordering::Relaxed) >= what as u8
    }

    /// Whether nothing comes of a span under this one.
    pub(in crate::span) fn prunes_under(parent: &SpanContext) -> bool {
        Self::prunes(Pruning::UnderUnsampled) && is_unsampled(parent)
    }

    /// What is known of a span under the current one before it starts.
    pub(in crate::span) fn forecast() -> Forecast {
        if !Self::prunes(Pruning::UnderUnsampled) || !context::is_alive() {
            return Forecast::Open;
        }
        Context::map_current(|context| {
            let parent = context.span();
            let parent = parent.span_context();
            if parent.is_valid() && is_unsampled(parent) {
                Forecast::Unsampled
            } else if !parent.is_valid() && Self::prunes(Pruning::Unsampled) {
                Forecast::Root
            } else {
                Forecast::Open
            }
        })
    }

    /// Whether the sampler has to see the name of a span under this one.
    pub(in crate::span) fn samples_by_name(parent: &SpanContext) -> bool {
        SAMPLES_BY_NAME.load(Ordering::Relaxed) && (!parent.is_valid() || parent.is_remote())
    }

    /// The context of a trace that starts with the next span, of this name and kind, if it is known at once that it is
    /// not sampled.
    pub(in crate::span) fn unsampled_root(name: &str, kind: &SpanKind) -> Option<Context> {
        // Not inside `map_current`: finding the recorder may drop an earlier one, and with it what is the program's.
        let context = Context::current();
        if context.is_telemetry_suppressed() {
            return None;
        }
        match &Self::of(&context)?.recorder().provider {
            Provider::Native(native) => {
                let wrap = |id| context.with_remote_span_context(id);
                native.unsampled_root(&context, (name, kind), wrap)
            }
            Provider::Ours { .. } | Provider::Global { .. } => None,
        }
    }

    /// The recorder for spans that start in this context.
    pub(in crate::span) fn of(context: &Context) -> Option<CurrentRecorder> {
        if let Some(of_test) = context.get::<Arc<Self>>() {
            return Some(CurrentRecorder::Scoped(of_test.clone()));
        }
        if let Some(cached) = CachedRecorder::of(Self::generation()) {
            return Some(CurrentRecorder::Installed(cached));
        }
        let installed = INSTALLED.read().unpoisoned();
        let recorder = installed.as_ref().map(|ActiveRecorder(recorder)| recorder.clone())?;
        let generation = Self::generation();
        drop(installed);
        Some(if recorder.is_adopted() {
            CurrentRecorder::Adopted(recorder)
        } else {
            CurrentRecorder::Installed(CachedRecorder::remember(recorder, generation))
        })
    }

    /// Where the exceptions of this context's spans go.
    pub(in crate::span) fn exceptions(context: &Context) -> Exceptions {
        Self::of(context).map_or(Exceptions::EVENTS, |found| found.recorder().options.exceptions)
    }
}

/// Whether it was decided in this process that a trace is not recorded.
fn is_unsampled(span: &SpanContext) -> bool {
    !span.is_sampled() && !span.is_remote() && span.is_valid()
}

impl CurrentRecorder {
    pub(in crate::span) fn recorder(&self) -> &Recorder {
        match self {
            Self::Installed(cached) => &cached.recorder,
            Self::Adopted(recorder) | Self::Scoped(recorder) => recorder,
        }
    }

    pub(in crate::span) fn device_waiter(&self) -> DeviceWaiter {
        self.recorder().device_waiter.clone()
    }

    /// Whether it was shut down since: a span that was being started then was started too late.
    pub(in crate::span) fn is_uninstalled(&self) -> bool {
        matches!(self, Self::Installed(cached) if cached.generation != Recorder::generation())
    }

    /// Given out, and not borrowed: what starts a span runs the program's own code, which may start
    /// another one.
    pub(in crate::span) fn tracer(&self, library: InstrumentedCrate) -> Tracer {
        match self {
            Self::Installed(cached) => cached.tracer(library),
            Self::Adopted(recorder) | Self::Scoped(recorder) => recorder.provider.tracer(library),
        }
    }
}

/// Waits this long for the devices of spans whose bodies have ended; whether all of them have told
/// when their work was done.
pub(crate) fn await_devices(patience: Duration) -> bool {
    installed_device_waiter().is_none_or(|device_waiter| device_waiter.wait(patience))
}

/// Ends the spans that wait for their devices. Spans that come later do not wait.
#[cfg(feature = "app")]
pub(crate) fn end_device_spans() {
    if let Some(device_waiter) = installed_device_waiter() {
        device_waiter.end_all();
    }
}

fn installed_device_waiter() -> Option<DeviceWaiter> {
    let installed = INSTALLED.read().unpoisoned();
    installed.as_ref().map(|ActiveRecorder(recorder)| recorder.device_waiter.clone())
}
