//! Tracers of our own provider, and of the program's.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, RwLock};

use opentelemetry::global::{BoxedTracer, GlobalTracerProvider};
use opentelemetry::trace::{Span, SpanBuilder, Tracer as _, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::lock::Unpoisoned;
use crate::recorder::{InstrumentedCrate, NativeRecorder};
use crate::sdk::Capacity;
use crate::span::panic::{Payload, caught};
use crate::span::sdk_span::{self, SdkSpanStart};

#[cfg_attr(
    not(feature = "app"),
    expect(dead_code, reason = "without `app`, no SDK is set up here")
)]
#[derive(Debug)]
pub(in crate::span) enum Provider {
    Native(Arc<NativeRecorder>),
    Ours {
        provider: SdkTracerProvider,
        capacity: Capacity,
    },
    Global {
        provider: GlobalTracerProvider,
        tracers: RwLock<HashMap<InstrumentedCrate, Arc<BoxedTracer>>>,
    },
}

#[derive(Clone, Debug)]
pub(in crate::span) enum Tracer {
    /// Spans are started without one.
    None,
    Ours(Rc<SdkTracer>, Capacity),
    Global(Arc<BoxedTracer>),
}

impl Provider {
    pub(super) fn global(provider: GlobalTracerProvider) -> Self {
        Self::Global { provider, tracers: RwLock::default() }
    }

    pub(super) fn tracer(&self, library: InstrumentedCrate) -> Tracer {
        let scope = || library.scope();
        match self {
            Self::Native(_) => Tracer::None,
            Self::Ours { provider, capacity } => {
                Tracer::Ours(Rc::new(provider.tracer_with_scope(scope())), *capacity)
            }
            Self::Global { provider, tracers } => {
                let known = tracers.read().unpoisoned();
                if let Some(tracer) = known.get(&library) {
                    return Tracer::Global(tracer.clone());
                }
                drop(known);
                let tracer = Arc::new(provider.tracer_with_scope(scope()));
                let mut known = tracers.write().unpoisoned();
                Tracer::Global(known.entry(library).or_insert(tracer).clone())
            }
        }
    }
}

/// The attributes of a span, asked for if it records.
type MakeAttributes<'a> = &'a mut dyn FnMut() -> Vec<KeyValue>;

impl Tracer {
    /// The context with the span, and whether that records; or how its attributes panicked.
    pub(super) fn start(
        &self,
        builder: SpanBuilder,
        parent: &Context,
        attributes: Option<MakeAttributes<'_>>,
        has_error_type: &Cell<bool>,
    ) -> (Context, Result<bool, Payload>) {
        match self {
            Self::None => (parent.clone(), Ok(false)),
            Self::Ours(tracer, capacity) => {
                let mut span = tracer.build_with_context(builder, parent);
                let records = describe(&mut span, attributes);
                let has_error_type = has_error_type.get();
                let started =
                    SdkSpanStart { capacity: Some(*capacity), random_ids: true, has_error_type };
                (sdk_span::context_with(parent, span, started), records)
            }
            Self::Global(tracer) => {
                let mut span = tracer.build_with_context(builder, parent);
                let records = describe(&mut span, attributes);
                let has_error_type = has_error_type.get();
                let started = SdkSpanStart { capacity: None, random_ids: false, has_error_type };
                (sdk_span::context_with(parent, span, started), records)
            }
        }
    }

    #[cfg(feature = "logs")]
    pub(in crate::span) fn build(
        &self,
        builder: SpanBuilder,
        parent: &Context,
    ) -> Option<opentelemetry_sdk::trace::Span> {
        match self {
            Self::Ours(tracer, _) => Some(tracer.build_with_context(builder, parent)),
            Self::Global(_) | Self::None => None,
        }
    }
}

fn describe(span: &mut impl Span, attributes: Option<MakeAttributes<'_>>) -> Result<bool, Payload> {
    let records = span.is_recording();
    if let (true, Some(attributes)) = (records, attributes) {
        span.set_attributes(caught(attributes)?);
    }
    Ok(records)
}
