//! Where spans are recorded: the installed pipeline, or the test scope that is current.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::trace::{SpanBuilder, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use super::callsite::{Library, Start};
use super::exception::Exceptions;

/// How many recorders there are: one installed, and one a test scope. At zero nothing is recorded.
static RECORDERS: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: RwLock<Option<Arc<Recorder>>> = RwLock::new(None);

#[derive(Debug)]
pub(crate) struct Recorder {
    provider: SdkTracerProvider,
    tracers: RwLock<HashMap<Library, SdkTracer>>,
    exceptions: Exceptions,
}

/// Keeps a test scope's recorder counted.
pub(crate) struct Scoped(Arc<Recorder>);

impl Recorder {
    fn new(provider: SdkTracerProvider, exceptions: Exceptions) -> Arc<Self> {
        super::panic::watch();
        RECORDERS.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { provider, tracers: RwLock::default(), exceptions })
    }

    /// Makes this provider the one that records; `false` when there is one already.
    #[cfg(feature = "app")]
    pub(crate) fn install(provider: SdkTracerProvider, exceptions: Exceptions) -> bool {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        let free = installed.is_none();
        if free {
            *installed = Some(Self::new(provider, exceptions));
        }
        free
    }

    /// Records no more, and hands the provider back to be shut down.
    #[cfg(feature = "app")]
    pub(crate) fn uninstall() -> Option<SdkTracerProvider> {
        let recorder = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(recorder.provider.clone())
    }

    /// A recorder for one test scope, current in the context that carries it.
    pub(crate) fn scoped(provider: SdkTracerProvider) -> Scoped {
        Scoped(Self::new(provider, Exceptions::EVENTS))
    }

    #[inline]
    pub(crate) fn any() -> bool {
        RECORDERS.load(Ordering::Relaxed) != 0
    }

    /// The recorder for spans that start in this context, and whether it is the installed one.
    pub(super) fn of(context: &Context) -> Option<(Arc<Self>, bool)> {
        if let Some(scoped) = context.get::<Arc<Self>>() {
            return Some((scoped.clone(), false));
        }
        let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
        installed.clone().map(|recorder| (recorder, true))
    }

    /// Where the exceptions of this context's spans go.
    pub(super) fn exceptions(context: &Context) -> Exceptions {
        Self::of(context).map_or(Exceptions::EVENTS, |(recorder, _)| recorder.exceptions)
    }

    pub(super) fn start(&self, start: Start, parent: &Context) -> Span {
        let Start { callsite, links, .. } = start;
        let mut builder = SpanBuilder::from_name(callsite.name).with_kind(callsite.kind.clone());
        if !links.is_empty() {
            builder = builder.with_links(links);
        }
        self.build(callsite.library, builder, parent)
    }

    pub(super) fn build(&self, library: Library, builder: SpanBuilder, parent: &Context) -> Span {
        let tracers = self.tracers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(tracer) = tracers.get(&library) {
            return tracer.build_with_context(builder, parent);
        }
        drop(tracers);
        let tracer = self.tracer(library);
        tracer.build_with_context(builder, parent)
    }

    fn tracer(&self, library: Library) -> SdkTracer {
        let mut scope = InstrumentationScope::builder(library.name);
        if let Some(version) = library.version {
            scope = scope.with_version(version);
        }
        let tracer = self.provider.tracer_with_scope(scope.build());
        let mut tracers = self.tracers.write().unwrap_or_else(PoisonError::into_inner);
        tracers.entry(library).or_insert(tracer).clone()
    }
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
