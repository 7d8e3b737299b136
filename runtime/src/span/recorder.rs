//! Where spans are recorded: the installed pipeline, the provider that the program has set up
//! itself, or the test scope that is current.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::global::{self, BoxedTracer, GlobalTracerProvider};
use opentelemetry::trace::{Span, SpanBuilder, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::callsite::{Library, Start};
use super::exception::{self, Exceptions};
use super::random;
use crate::attribute::Attributes;

/// Whether nothing comes of a span under one that is not sampled: its sampler is ours, and nothing
/// is kept.
static PRUNES: AtomicBool = AtomicBool::new(false);
/// How many recorders were uninstalled.
static UNINSTALLED: AtomicUsize = AtomicUsize::new(0);
/// How many recorders there are: one installed, and one a test scope. At zero nothing is recorded.
static RECORDERS: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: RwLock<Option<Arc<Recorder>>> = RwLock::new(None);

#[derive(Debug)]
pub(crate) struct Recorder {
    provider: Provider,
    tracers: RwLock<HashMap<Library, ScopedTracer>>,
    exceptions: Exceptions,
}

#[derive(Debug)]
enum Provider {
    Ours(SdkTracerProvider),
    Global(GlobalTracerProvider),
}

#[derive(Clone, Debug)]
enum ScopedTracer {
    Ours(Arc<SdkTracer>),
    Global(Arc<BoxedTracer>),
}

/// Keeps a test scope's recorder counted.
pub(crate) struct Scoped(Arc<Recorder>);

impl Recorder {
    fn new(provider: Provider, exceptions: Exceptions) -> Arc<Self> {
        super::panic::watch();
        RECORDERS.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { provider, tracers: RwLock::default(), exceptions })
    }

    /// Makes this provider the one that records; `false` when there is one already.
    #[cfg(feature = "app")]
    pub(crate) fn install(
        provider: SdkTracerProvider,
        exceptions: Exceptions,
        prunes: bool,
    ) -> bool {
        let installed = Self::set(Provider::Ours(provider), exceptions);
        PRUNES.store(installed && prunes, Ordering::Relaxed);
        installed
    }

    /// Makes OpenTelemetry's global provider the one that records; `false` when there is another
    /// one already.
    pub(crate) fn adopt() -> bool {
        Self::set(Provider::Global(global::tracer_provider()), Exceptions::EVENTS)
    }

    /// A provider of the program's own may be adopted again, to replace it.
    fn set(provider: Provider, exceptions: Exceptions) -> bool {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        let free = installed.as_ref().is_none_or(|recorder| recorder.is_adopted());
        let replaced = if free { installed.replace(Self::new(provider, exceptions)) } else { None };
        drop(installed);
        // Only now: the program's own provider may record while it shuts down.
        drop(replaced);
        free
    }

    fn is_adopted(&self) -> bool {
        matches!(self.provider, Provider::Global(_))
    }

    /// Records no more, and hands the provider back to be shut down.
    #[cfg(feature = "app")]
    pub(crate) fn uninstall() -> Option<SdkTracerProvider> {
        let recorder = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).take()?;
        PRUNES.store(false, Ordering::Relaxed);
        UNINSTALLED.fetch_add(1, Ordering::SeqCst);
        match &recorder.provider {
            Provider::Ours(provider) => Some(provider.clone()),
            Provider::Global(_) => None,
        }
    }

    /// A recorder for one test scope, current in the context that carries it.
    pub(crate) fn scoped(provider: SdkTracerProvider) -> Scoped {
        Scoped(Self::new(Provider::Ours(provider), Exceptions::EVENTS))
    }

    /// Changes when a recorder is uninstalled: a span that was being started then was started too
    /// late.
    pub(super) fn epoch() -> usize {
        UNINSTALLED.load(Ordering::SeqCst)
    }

    pub(super) fn prunes() -> bool {
        PRUNES.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn any() -> bool {
        RECORDERS.load(Ordering::Relaxed) != 0
    }

    /// The recorder for spans that start in this context, and whether we will shut it down.
    pub(super) fn of(context: &Context) -> Option<(Arc<Self>, bool)> {
        if let Some(scoped) = context.get::<Arc<Self>>() {
            return Some((scoped.clone(), false));
        }
        let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
        installed.clone().map(|recorder| {
            let ours = !recorder.is_adopted();
            (recorder, ours)
        })
    }

    /// Where the exceptions of this context's spans go.
    pub(super) fn exceptions(context: &Context) -> Exceptions {
        Self::of(context).map_or(Exceptions::EVENTS, |(recorder, _)| recorder.exceptions)
    }

    /// The context with the span, and whether that records.
    pub(super) fn start(
        &self,
        start: Start,
        parent: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> (Context, bool) {
        let Start { callsite, links, baggage, .. } = start;
        let mut builder = SpanBuilder::from_name(callsite.name).with_kind(callsite.kind.clone());
        if !links.is_empty() {
            builder = builder.with_links(links);
        }
        self.tracer(callsite.library).start(builder, parent, &mut |list| {
            for key in baggage {
                if let Some(value) = parent.baggage().get(key) {
                    list.set(key, value.as_str());
                }
            }
            attributes(list);
        })
    }

    /// Starts a span of a library's; `None` where the program has set its own SDK up, and its own
    /// way for those.
    #[cfg(feature = "logs")]
    pub(super) fn build(
        &self,
        library: Library,
        builder: SpanBuilder,
        parent: &Context,
    ) -> Option<opentelemetry_sdk::trace::Span> {
        match self.tracer(library) {
            ScopedTracer::Ours(tracer) => Some(tracer.build_with_context(builder, parent)),
            ScopedTracer::Global(_) => None,
        }
    }

    /// Given out, and not borrowed: what starts a span runs the program's own code, which may start
    /// another one.
    fn tracer(&self, library: Library) -> ScopedTracer {
        let known = self.tracers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(tracer) = known.get(&library) {
            return tracer.clone();
        }
        drop(known);
        let mut scope = InstrumentationScope::builder(library.name);
        if let Some(version) = library.version {
            scope = scope.with_version(version);
        }
        let tracer = self.provider.tracer(scope.build());
        let mut known = self.tracers.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(library).or_insert(tracer).clone()
    }
}

impl Provider {
    fn tracer(&self, scope: InstrumentationScope) -> ScopedTracer {
        match self {
            Self::Ours(provider) => ScopedTracer::Ours(Arc::new(provider.tracer_with_scope(scope))),
            Self::Global(provider) => {
                ScopedTracer::Global(Arc::new(provider.tracer_with_scope(scope)))
            }
        }
    }
}

impl ScopedTracer {
    fn start(
        &self,
        builder: SpanBuilder,
        parent: &Context,
        attributes: &mut dyn FnMut(&mut Attributes),
    ) -> (Context, bool) {
        match self {
            Self::Ours(tracer) => {
                let mut span = exception::ours(|| tracer.build_with_context(builder, parent));
                let records = describe(&mut span, attributes);
                (random::with_span(parent, span, true), records)
            }
            Self::Global(tracer) => {
                let mut span = tracer.build_with_context(builder, parent);
                let records = describe(&mut span, attributes);
                (random::with_span(parent, span, false), records)
            }
        }
    }
}

/// Gives a span that records its attributes.
fn describe(span: &mut impl Span, attributes: &mut dyn FnMut(&mut Attributes)) -> bool {
    let records = span.is_recording();
    if records {
        let mut list = Attributes::default();
        attributes(&mut list);
        span.set_attributes(list.into_vec());
    }
    records
}

impl Drop for Recorder {
    fn drop(&mut self) {
        RECORDERS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Scoped {
    /// A context of its own, under no span.
    pub(crate) fn context(&self) -> Context {
        Context::new().with_value(self.0.clone())
    }
}
