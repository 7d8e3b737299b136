//! Span processors of the program's own, beside ours.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::internal_threads;

/// So many flushes wait for the processors at most: one that never answers keeps a thread.
const MOST_ASKING: usize = 8;

/// A processor that a configuration, which can be cloned, holds.
#[derive(Clone, Debug)]
pub(crate) struct Observer(pub(crate) Arc<dyn SpanProcessor>);

impl Observer {
    pub(crate) fn new(processor: impl SpanProcessor + 'static) -> Self {
        Self(Arc::new(processor))
    }
}

impl PartialEq for Observer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

thread_local!(static WITHIN: Cell<bool> = const { Cell::new(false) });

/// Whether this thread runs a processor of the program's. Spans that the processor makes itself are not recorded: it would
/// see them, and make more. A context that suppresses telemetry cannot be attached for that: OpenTelemetry's API calls
/// processors while it looks at the current one.
pub(crate) fn is_within() -> bool {
    WITHIN.get()
}

/// Runs a processor, unless this thread does so already.
fn within(run: impl FnOnce()) {
    struct Left;

    impl Drop for Left {
        fn drop(&mut self) {
            WITHIN.set(false);
        }
    }

    if !WITHIN.replace(true) {
        let _left = Left;
        run();
    }
}

/// As the SDK sees it: what takes time its pipeline asks, beside ours.
impl SpanProcessor for Observer {
    fn on_start(&self, span: &mut Span, context: &Context) {
        within(|| self.0.on_start(span, context));
    }

    fn on_end(&self, span: SpanData) {
        within(|| self.0.on_end(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Those of one pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Observers {
    list: Arc<[Observer]>,
    /// Held by each thread that asks them something.
    asking: Arc<()>,
}

impl Observers {
    /// Tells each of the resource, unless the configuration that has it was cloned.
    pub(crate) fn new(mut list: Vec<Observer>, resource: &Resource) -> Self {
        for processor in list.iter_mut().filter_map(|observer| Arc::get_mut(&mut observer.0)) {
            processor.set_resource(resource);
        }
        Self { list: list.into(), asking: Arc::default() }
    }

    pub(crate) fn iter(&self) -> slice::Iter<'_, Observer> {
        self.list.iter()
    }

    /// Asks one after the other, on a thread of its own: they are the program's, and may take any
    /// time.
    pub(crate) fn ask(
        &self,
        question: impl Fn(&Observer) -> OTelSdkResult + Send + 'static,
    ) -> Asked {
        if self.list.is_empty() {
            return Asked(None);
        }
        let (tell, told) = channel();
        let Self { list, asking } = self.clone();
        // This one, and the pipeline's.
        if Arc::strong_count(&asking) <= MOST_ASKING + 2 {
            // Where there is no thread, nobody answers.
            let _ = internal_threads::spawn("spandrel-processors", move || {
                internal_threads::mark_current();
                internal_threads::run_user_code(|| {
                    for observer in list.iter() {
                        let answer = catch_unwind(AssertUnwindSafe(|| question(observer)));
                        let _ = tell.send(answer.is_ok_and(|answer| answer.is_ok()));
                    }
                });
                drop(asking);
            });
        }
        Asked(Some((told, self.list.len())))
    }
}

/// What so many processors will have said.
#[must_use = "it is not waited for"]
pub(crate) struct Asked(Option<(Receiver<bool>, usize)>);

impl Asked {
    /// Whether all have succeeded by then; without a deadline, as long as they take.
    pub(crate) fn by(self, deadline: Option<Instant>) -> bool {
        let Some((told, count)) = self.0 else { return true };
        (0..count).fold(true, |all, _| {
            let answer = match deadline {
                Some(end) => told.recv_timeout(end.saturating_duration_since(Instant::now())).ok(),
                None => told.recv().ok(),
            };
            answer.unwrap_or(false) && all
        })
    }
}
