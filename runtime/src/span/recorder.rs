//! Where spans are recorded: the installed pipeline, the provider that the program has set up
//! itself, or the test scope that is current.

mod cached_recorder;
mod tracer;

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanBuilder, SpanContext, TraceContextExt};
use opentelemetry::{Context, global};
#[cfg(feature = "app")]
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::ActiveSpan;
use super::callsite::Start;
use super::device_waiter::DeviceWaiter;
use super::enabled;
use super::panic::{Payload, caught};
use super::sdk_span;
use super::seen::SeenFailures;
use crate::attribute::Attributes;
use crate::context::{self, CallerDecision, NewTrace};
use crate::recorder::{Exceptions, Handle, KnownSpan, Library, Native, NewSpan, SpanScope};
#[cfg(feature = "app")]
use crate::sdk::Capacity;
use cached_recorder::CachedRecorder;
pub(super) use tracer::Provider;
use tracer::Tracer;

/// Which spans are known not to be recorded before they start: a [`Pruning`].
static PRUNING: AtomicU8 = AtomicU8::new(Pruning::Nothing as u8);
/// How often another one was installed, or none.
static GENERATION: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: RwLock<Option<ActiveRecorder>> = RwLock::new(None);

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(super) provider: Provider,
    exceptions: Exceptions,
    records: KnownRecorded,
    device_waiter: DeviceWaiter,
}

/// Which spans are sure to be recorded, before a sampler is asked.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "app"), expect(dead_code, reason = "nothing is installed"))]
pub(crate) enum KnownRecorded {
    All,
    /// Those of traces that start here, unless the caller has decided against them, and those under a
    /// span that is sampled.
    AllButUnsampled,
    /// Those under a span that is sampled.
    OnlySampled,
    Nothing,
}

/// Which spans are known not to be recorded before they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pruning {
    Nothing,
    /// Those under a span that is not sampled: the sampler is ours and follows the parent, and nothing is kept.
    UnderUnsampled,
    /// And those that start a trace which is not sampled.
    Unsampled,
}

/// How the spans of a pipeline are recorded.
#[cfg(feature = "app")]
pub(crate) enum Installation {
    Native(Arc<Native>),
    /// By the SDK, whose spans hold so much.
    Sdk(SdkTracerProvider, Capacity),
}

/// What is known of a span before it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Forecast {
    /// Nothing.
    Open,
    /// It is under a span that is not sampled, and neither is it.
    Unsampled,
    /// It starts a trace, which may be one that is not sampled.
    Root,
}

/// Keeps a recorder counted.
#[derive(Debug)]
pub(crate) struct ActiveRecorder(Arc<Recorder>);

/// The recorder of a context.
pub(super) enum CurrentRecorder {
    /// The installed one, as this thread knows it.
    Installed(std::rc::Rc<CachedRecorder>),
    Adopted(Arc<Recorder>),
    Scoped(Arc<Recorder>),
}

impl Recorder {
    fn activate(
        provider: Provider,
        exceptions: Exceptions,
        records: KnownRecorded,
    ) -> ActiveRecorder {
        super::panic::watch();
        enabled::add_recorder();
        let device_waiter = DeviceWaiter::default();
        ActiveRecorder(Arc::new(Self { provider, exceptions, records, device_waiter }))
    }

    /// Makes this recorder the one that records; `false` when there is one already.
    #[cfg(feature = "app")]
    pub(crate) fn install(
        installation: Installation,
        exceptions: Exceptions,
        records: KnownRecorded,
        pruning: Pruning,
    ) -> bool {
        let provider = match installation {
            Installation::Native(native) => Provider::Native(native),
            Installation::Sdk(provider, capacity) => Provider::Ours { provider, capacity },
        };
        let installed = Self::set(provider, exceptions, records);
        if installed {
            PRUNING.store(pruning as u8, Ordering::Relaxed);
        }
        installed
    }

    /// Makes OpenTelemetry's global provider the one that records; `false` when there is another
    /// one already.
    pub(crate) fn adopt() -> bool {
        let provider = Provider::global(global::tracer_provider());
        Self::set(provider, Exceptions::EVENTS, KnownRecorded::Nothing)
    }

    /// A provider of the program's own may be adopted again, to replace it.
    fn set(provider: Provider, exceptions: Exceptions, records: KnownRecorded) -> bool {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        let free = installed.as_ref().is_none_or(|ActiveRecorder(recorder)| recorder.is_adopted());
        let mut replaced = None;
        if free {
            replaced = installed.replace(Self::activate(provider, exceptions, records));
            GENERATION.fetch_add(1, Ordering::Release);
        }
        drop(installed);
        // Only now: the program's own provider may record while it shuts down.
        drop(replaced);
        free
    }

    fn is_adopted(&self) -> bool {
        matches!(self.provider, Provider::Global { .. })
    }

    /// Records no more.
    #[cfg(feature = "app")]
    pub(crate) fn uninstall() {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        let ours = installed.take_if(|ActiveRecorder(recorder)| !recorder.is_adopted());
        PRUNING.store(Pruning::Nothing as u8, Ordering::Relaxed);
        GENERATION.fetch_add(1, Ordering::Release);
        drop(installed);
        CachedRecorder::forget();
        // Only now: what is dropped with it may be the program's.
        drop(ours);
    }

    /// A recorder for one test scope, current in the context that carries it.
    pub(crate) fn scoped(native: Native) -> ActiveRecorder {
        Self::activate(Provider::Native(Arc::new(native)), Exceptions::EVENTS, KnownRecorded::All)
    }

    /// The same, by the SDK.
    #[cfg(feature = "app")]
    pub(crate) fn scoped_sdk(provider: SdkTracerProvider, capacity: Capacity) -> ActiveRecorder {
        let provider = Provider::Ours { provider, capacity };
        Self::activate(provider, Exceptions::EVENTS, KnownRecorded::Nothing)
    }

    /// Changes, under the lock, with what is installed.
    fn generation() -> usize {
        GENERATION.load(Ordering::Acquire)
    }

    fn prunes(what: Pruning) -> bool {
        PRUNING.load(Ordering::Relaxed) >= what as u8
    }

    /// Whether nothing comes of a span under this one.
    pub(super) fn prunes_under(parent: &SpanContext) -> bool {
        Self::prunes(Pruning::UnderUnsampled) && is_unsampled(parent)
    }

    /// What is known of a span under the current one before it starts.
    pub(super) fn forecast() -> Forecast {
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

    /// The context of a trace that starts with the next span, if it is known at once that it is not sampled.
    pub(super) fn unsampled_root() -> Option<Context> {
        // Not inside `map_current`: finding the recorder may drop an earlier one, and with it what is the program's.
        let context = Context::current();
        if context.is_telemetry_suppressed() {
            return None;
        }
        match &Self::of(&context)?.recorder().provider {
            Provider::Native(native) => {
                native.unsampled_root(&context, |id| context.with_remote_span_context(id))
            }
            Provider::Ours { .. } | Provider::Global { .. } => None,
        }
    }

    /// The recorder for spans that start in this context.
    pub(super) fn of(context: &Context) -> Option<CurrentRecorder> {
        if let Some(of_test) = context.get::<Arc<Self>>() {
            return Some(CurrentRecorder::Scoped(of_test.clone()));
        }
        if let Some(cached) = CachedRecorder::of(Self::generation()) {
            return Some(CurrentRecorder::Installed(cached));
        }
        let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
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
    pub(super) fn exceptions(context: &Context) -> Exceptions {
        Self::of(context).map_or(Exceptions::EVENTS, |found| found.recorder().exceptions)
    }

    /// Whether a span in this context, under this span, is sure to be recorded.
    fn is_sure_of(&self, context: &Context, parent: &SpanContext) -> bool {
        match self.records {
            KnownRecorded::All => true,
            KnownRecorded::AllButUnsampled if parent.is_valid() => parent.is_sampled(),
            KnownRecorded::AllButUnsampled => {
                CallerDecision::for_new_trace(context).is_none_or(NewTrace::is_sampled)
            }
            KnownRecorded::OnlySampled => parent.is_valid() && parent.is_sampled(),
            KnownRecorded::Nothing => false,
        }
    }
}

/// Whether it was decided in this process that a trace is not recorded.
fn is_unsampled(span: &SpanContext) -> bool {
    !span.is_sampled() && !span.is_remote() && span.is_valid()
}

impl CurrentRecorder {
    pub(super) fn recorder(&self) -> &Recorder {
        match self {
            Self::Installed(cached) => &cached.recorder,
            Self::Adopted(recorder) | Self::Scoped(recorder) => recorder,
        }
    }

    pub(super) fn device_waiter(&self) -> DeviceWaiter {
        self.recorder().device_waiter.clone()
    }

    /// Whether it was shut down since: a span that was being started then was started too late.
    pub(super) fn is_uninstalled(&self) -> bool {
        matches!(self, Self::Installed(cached) if cached.generation != Recorder::generation())
    }

    /// Given out, and not borrowed: what starts a span runs the program's own code, which may start
    /// another one.
    pub(super) fn tracer(&self, library: Library) -> Tracer {
        match self {
            Self::Installed(cached) => cached.tracer(library),
            Self::Adopted(recorder) | Self::Scoped(recorder) => recorder.provider.tracer(library),
        }
    }

    /// Starts this span under this parent, in the context `outer`. Returns the panic of its attributes.
    pub(super) fn start(
        &self,
        start: Start,
        parent: &Context,
        outer: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
        span: &mut ActiveSpan,
    ) -> Option<Payload> {
        match &self.recorder().provider {
            Provider::Native(native) => {
                start_native(native, start, parent, outer, attributes, span)
            }
            Provider::Ours { .. } | Provider::Global { .. } => {
                self.start_by_provider(start, parent, outer, attributes, span)
            }
        }
    }

    /// Starts a span of OpenTelemetry's API.
    fn start_by_provider(
        &self,
        start: Start,
        parent: &Context,
        outer: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
        span: &mut ActiveSpan,
    ) -> Option<Payload> {
        let Start { callsite, links, baggage, .. } = start;
        let outer = SeenFailures::of(outer).cloned();
        let mut builder = SpanBuilder::from_name(callsite.name).with_kind(callsite.kind.clone());
        if !links.is_empty() {
            builder = builder.with_links(links);
        }
        let has_error_type = Cell::new(false);
        let mut list = || {
            let mut list = Attributes::default();
            record_baggage(parent, baggage, &mut list);
            attributes(&mut list);
            let list = list.into_vec();
            has_error_type.set(sdk_span::contain_error_type(&list));
            list
        };
        let tracer = || self.tracer(callsite.library);
        let parent_span = parent.span();
        let (context, records) = if self.recorder().is_sure_of(parent, parent_span.span_context())
            && !parent.is_telemetry_suppressed()
        {
            // Started before what is said of it is found out, as where that comes later.
            builder.start_time = Some(SystemTime::now());
            let told = caught(&mut list).map(|list| builder.attributes = Some(list));
            let (context, records) = tracer().start(builder, parent, None, &has_error_type);
            (context, told.and(records))
        } else {
            tracer().start(builder, parent, Some(&mut list), &has_error_type)
        };
        match records {
            Ok(false) => span.started(context, None),
            Ok(true) | Err(_) => span.started_by_provider(context, outer),
        }
        records.err()
    }
}

/// Starts a span in a slot.
#[inline]
fn start_native(
    native: &Native,
    start: Start,
    parent: &Context,
    outer: &Context,
    attributes: &mut dyn FnMut(&mut Attributes),
    span: &mut ActiveSpan,
) -> Option<Payload> {
    let Start { callsite, links, baggage, .. } = start;
    let new = NewSpan {
        name: callsite.name,
        kind: &callsite.kind,
        links: &links,
        start: None,
        scope: SpanScope::Of(callsite.library),
        outer,
        is_foreign: false,
    };
    let mut attributes = |list: &mut Attributes| {
        record_baggage(parent, baggage, list);
        attributes(list);
    };
    let enter = |id, known: Option<KnownSpan>, trace| match known {
        Some(KnownSpan { slot, .. }) => {
            span.started(parent.with_span(Handle::new(id, known, trace, false)), Some(slot));
        }
        None => span.started(parent.with_remote_span_context(id), None),
    };
    let ((), panic) = native.start(&new, parent, &mut attributes, enter);
    panic
}

/// Records entries of the context's baggage as attributes.
fn record_baggage(context: &Context, keys: &[&'static str], list: &mut Attributes) {
    for key in keys {
        if let Some(value) = context.baggage().get(key) {
            list.set(key, value.as_str());
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
    let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
    installed.as_ref().map(|ActiveRecorder(recorder)| recorder.device_waiter.clone())
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.device_waiter.close();
    }
}

impl Drop for ActiveRecorder {
    fn drop(&mut self) {
        enabled::remove_recorder();
    }
}

impl ActiveRecorder {
    /// A context of its own, under no span.
    pub(crate) fn context(&self) -> Context {
        Context::new().with_value(self.0.clone())
    }

    /// The thread that its spans with devices wait for.
    pub(crate) fn device_waiter(&self) -> &DeviceWaiter {
        &self.0.device_waiter
    }
}
