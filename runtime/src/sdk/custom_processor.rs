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
pub(crate) struct CustomProcessor(pub(crate) Arc<dyn SpanProcessor>);

impl CustomProcessor {
    pub(crate) fn new(processor: impl SpanProcessor + 'static) -> Self {
        Self(Arc::new(processor))
    }
}

impl PartialEq for CustomProcessor {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

thread_local!(static IN_PROCESSOR: Cell<bool> = const { Cell::new(false) });

/// Whether this thread runs a processor of the program's. Spans that the processor makes itself are not recorded: it would
/// see them, and make more. A context that suppresses telemetry cannot be attached for that: OpenTelemetry's API calls
/// processors while it looks at the current one.
pub(crate) fn is_in_processor() -> bool {
    IN_PROCESSOR.get()
}

/// Runs a processor, unless this thread does so already.
fn in_processor(run: impl FnOnce()) {
    struct Reset;

    impl Drop for Reset {
        fn drop(&mut self) {
            IN_PROCESSOR.set(false);
        }
    }

    if !IN_PROCESSOR.replace(true) {
        let _reset = Reset;
        run();
    }
}

/// As the SDK sees it: what takes time its pipeline asks, beside ours.
impl SpanProcessor for CustomProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        in_processor(|| self.0.on_start(span, context));
    }

    fn on_end(&self, span: SpanData) {
        in_processor(|| self.0.on_end(span));
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
pub(crate) struct CustomProcessors {
    list: Arc<[CustomProcessor]>,
    /// Held by each thread that asks them something.
    asking: Arc<()>,
}

impl CustomProcessors {
    /// Tells each of the resource, unless the configuration that has it was cloned.
    pub(crate) fn new(mut list: Vec<CustomProcessor>, resource: &Resource) -> Self {
        for processor in list.iter_mut().filter_map(|processor| Arc::get_mut(&mut processor.0)) {
            processor.set_resource(resource);
        }
        Self { list: list.into(), asking: Arc::default() }
    }

    pub(crate) fn iter(&self) -> slice::Iter<'_, CustomProcessor> {
        self.list.iter()
    }

    /// Asks one after the other, on a thread of its own: they are the program's, and may take any
    /// time.
    pub(crate) fn call_all(
        &self,
        question: impl Fn(&CustomProcessor) -> OTelSdkResult + Send + 'static,
    ) -> PendingAnswers {
        if self.list.is_empty() {
            return PendingAnswers(None);
        }
        let (sender, answers) = channel();
        let Self { list, asking } = self.clone();
        // This one, and the pipeline's.
        if Arc::strong_count(&asking) <= MOST_ASKING + 2 {
            // Where there is no thread, nobody answers.
            let _ = internal_threads::spawn("spandrel-processors", move || {
                internal_threads::mark_current();
                internal_threads::run_user_code(|| {
                    for processor in list.iter() {
                        let answer = catch_unwind(AssertUnwindSafe(|| question(processor)));
                        let _ = sender.send(answer.is_ok_and(|answer| answer.is_ok()));
                    }
                });
                drop(asking);
            });
        }
        PendingAnswers(Some((answers, self.list.len())))
    }
}

/// What so many processors will have said.
#[must_use = "it is not waited for"]
pub(crate) struct PendingAnswers(Option<(Receiver<bool>, usize)>);

impl PendingAnswers {
    /// Whether all have succeeded by then; without a deadline, as long as they take.
    pub(crate) fn all_succeed_by(self, deadline: Option<Instant>) -> bool {
        let Some((answers, count)) = self.0 else { return true };
        (0..count).fold(true, |all, _| {
            let answer = match deadline {
                Some(end) => {
                    answers.recv_timeout(end.saturating_duration_since(Instant::now())).ok()
                }
                None => answers.recv().ok(),
            };
            answer.unwrap_or(false) && all
        })
    }
}
