//! Where spans are recorded: the installed pipeline, the provider that the program has set up
//! itself, or the test scope that is current.

mod cached_recorder;
mod installed;
mod starting;
mod tracer;

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
#[cfg(feature = "app")]
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::device_waiter::DeviceWaiter;
use super::enabled;
use crate::recorder::{Exceptions, NativeRecorder};
#[cfg(feature = "app")]
use crate::sdk::Capacity;
pub(crate) use installed::await_devices;
pub(super) use installed::{CurrentRecorder, Forecast};
#[cfg(feature = "app")]
pub(crate) use installed::{Installation, Pruning, SamplingHints, end_device_spans};
pub(super) use starting::Started;
pub(super) use tracer::Provider;

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(super) provider: Provider,
    options: RecorderOptions,
    device_waiter: DeviceWaiter,
}

/// What a recorder does beside starting spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecorderOptions {
    /// Where exceptions go.
    pub(crate) exceptions: Exceptions,
    pub(crate) records: KnownRecorded,
    /// Whether spans record where they are in the source.
    pub(crate) code: bool,
}

impl RecorderOptions {
    fn new(records: KnownRecorded) -> Self {
        Self { exceptions: Exceptions::EVENTS, records, code: false }
    }
}

/// Which spans are sure to be recorded, before a sampler is asked.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "app"), expect(dead_code, reason = "nothing is installed"))]
pub(crate) enum KnownRecorded {
    All,
    /// Those under a span of this process that is sampled.
    UnderSampled,
    Nothing,
}

/// Keeps a recorder counted.
#[derive(Debug)]
pub(crate) struct ActiveRecorder(Arc<Recorder>);

impl Recorder {
    fn activate(provider: Provider, options: RecorderOptions) -> ActiveRecorder {
        super::panic::watch();
        enabled::add_recorder();
        let device_waiter = DeviceWaiter::default();
        ActiveRecorder(Arc::new(Self { provider, options, device_waiter }))
    }

    fn is_adopted(&self) -> bool {
        matches!(self.provider, Provider::Global { .. })
    }

    /// A recorder for one test scope, current in the context that carries it.
    pub(crate) fn scoped(native: NativeRecorder) -> ActiveRecorder {
        let options = RecorderOptions::new(KnownRecorded::All);
        Self::activate(Provider::Native(Arc::new(native)), options)
    }

    /// The same, by the SDK.
    #[cfg(feature = "app")]
    pub(crate) fn scoped_sdk(provider: SdkTracerProvider, capacity: Capacity) -> ActiveRecorder {
        let provider = Provider::Ours { provider, capacity };
        Self::activate(provider, RecorderOptions::new(KnownRecorded::Nothing))
    }

    /// Whether a span under this one is sure to be recorded.
    fn is_sure_of(&self, parent: &SpanContext) -> bool {
        match self.options.records {
            KnownRecorded::All => true,
            KnownRecorded::UnderSampled => {
                parent.is_valid() && parent.is_sampled() && !parent.is_remote()
            }
            KnownRecorded::Nothing => false,
        }
    }
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
