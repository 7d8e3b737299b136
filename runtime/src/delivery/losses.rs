//! Counts and reports export failures and the reasons for lost spans.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::clean::{clean, line};
use crate::lock::Unpoisoned;
use crate::report::say;

/// How many bytes of spans wait or are on their way at most.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// A failure that goes on is reported again after this time.
const REMINDER: Duration = Duration::from_secs(60);

/// The shortest time between two messages that the queue is full.
const OVERFLOW_REMINDER: Duration = Duration::from_secs(1);

/// How many different reasons for losses are kept apart.
const MOST_REASONS: usize = 4;

/// The export failures of one destination.
#[derive(Debug)]
pub(super) struct Losses {
    /// The service whose spans these are.
    service: String,
    destination: String,
    queue: usize,
    overflow: Overflow,
    state: Mutex<LossState>,
}

/// Which limit a span did not fit into.
#[derive(Clone, Copy, Debug)]
pub(super) enum Full {
    /// So many spans waited.
    Spans,
    /// So many bytes waited, or were on their way.
    Bytes,
}

/// Spans that found the queue full.
#[derive(Debug, Default)]
struct Overflow {
    /// Those that found so many spans, and those that found so many bytes.
    spans: AtomicU64,
    bytes: AtomicU64,
    /// Whether this was reported since the queue was last empty.
    reported: AtomicBool,
    /// How many of them that message counted.
    reported_spans: AtomicU64,
}

#[derive(Debug, Default)]
struct LossState {
    /// Requests since the destination last answered for good.
    tries: u64,
    /// Why the last request failed, until one succeeds.
    outage: Option<Outage>,
    reasons: Vec<Reason>,
    outage_reported_at: Option<Instant>,
    warning_reported_at: Option<Instant>,
    losses_reported_at: Option<Instant>,
    overflow_reported_at: Option<Instant>,
    /// Nothing is reported any more but the losses, at the end.
    silent: bool,
}

#[derive(Debug)]
struct Outage {
    why: String,
    since: Instant,
    /// Whether it was reported: of outages that come and go, one a minute.
    reported: bool,
}

/// Why a number of spans were lost.
#[derive(Debug)]
struct Reason {
    /// `None`: there was no answer in time.
    why: Option<String>,
    tries: u64,
    spans: u64,
}

impl Losses {
    /// On the way from a service to a destination, by its name without secrets, through a queue of this
    /// length.
    pub(super) fn new(service: &str, destination: String, queue: usize) -> Arc<Self> {
        let (overflow, state) = (Overflow::default(), Mutex::default());
        Arc::new(Self { service: line(service), destination, queue, overflow, state })
    }

    /// For a child of `fork`: the parent's lock may be held for ever.
    pub(super) fn start_over(&self) -> Arc<Self> {
        Self::new(&self.service, self.destination.clone(), self.queue)
    }

    /// From now on nothing is reported but the losses, at the end.
    pub(super) fn silence(&self) {
        self.state().silent = true;
    }

    /// A request is about to be made.
    pub(super) fn count_attempt(&self) {
        self.state().tries += 1;
    }

    /// A request was taken, but for so many spans; and what the destination said to it.
    pub(super) fn taken(&self, rejected: usize, message: Option<&str>) {
        let mut state = self.state();
        let tries = std::mem::take(&mut state.tries);
        let outage = state.outage.take();
        if rejected > 0 {
            let why = message.map_or_else(
                || "some spans were rejected".to_owned(),
                |message| clean(message.trim()),
            );
            state.lose(rejected as u64, Some(&why), 1);
            return self.report_losses(state, &why);
        }
        let warning = message
            .filter(|_| due(&mut state.warning_reported_at, REMINDER))
            .map(|message| clean(message.trim()));
        let silent = state.silent;
        drop(state);
        if silent {
            return;
        }
        let Self { service, destination, .. } = self;
        if let Some(outage) = outage.filter(|outage| outage.reported) {
            let seconds = outage.since.elapsed().as_secs_f64();
            say(format_args!(
                "{destination} accepts the spans of {service} again, after {seconds:.1} s, at attempt {tries}"
            ));
        }
        if let Some(warning) = warning {
            say(format_args!(
                "{destination} accepted the spans of {service} with a warning: {warning}"
            ));
        }
    }

    /// So many spans were refused for good.
    pub(super) fn refused(&self, spans: u64, why: &str) {
        let why = clean(why.trim());
        let mut state = self.state();
        let tries = std::mem::take(&mut state.tries);
        state.outage = None;
        state.lose(spans, Some(&why), tries);
        self.report_losses(state, &why);
    }

    /// Records a failed attempt that will be retried. During a flush, nothing is reported until the flush or the
    /// program ends.
    pub(super) fn unavailable(&self, why: &str, retry_now: bool) {
        let mut state = self.state();
        let report = !retry_now && !state.silent && due(&mut state.outage_reported_at, REMINDER);
        let outage = state.outage.get_or_insert_with(|| Outage {
            why: String::new(),
            since: Instant::now(),
            reported: false,
        });
        outage.why = clean(why.trim());
        outage.reported |= report;
        if report {
            let why = outage.why.clone();
            drop(state);
            let Self { service, destination, queue, .. } = self;
            say(format_args!(
                "{destination}: {why}; the exporter keeps the spans of {service}, queues up to {queue} more, and \
                 retries"
            ));
        }
    }

    /// So many spans are given up, because their time is over. `unanswered` is the time limit that ended the last
    /// attempt before an answer came.
    pub(super) fn given_up(&self, spans: u64, unanswered: Option<Duration>) {
        let mut state = self.state();
        let why = match (&state.outage, unanswered) {
            (Some(outage), _) => Some(outage.why.clone()),
            (None, Some(limit)) => Some(format!("no answer within {limit:?}")),
            (None, None) => None,
        };
        let tries = state.tries;
        state.lose(spans, why.as_deref(), tries);
    }

    /// A span found the queue full; whether that is still to be reported.
    pub(super) fn overflow(&self, full: Full) -> bool {
        let count = match full {
            Full::Spans => &self.overflow.spans,
            Full::Bytes => &self.overflow.bytes,
        };
        count.fetch_add(1, Ordering::Relaxed);
        !self.overflow.reported.load(Ordering::Relaxed)
    }

    /// The exporter's thread reports this, so that the program's threads never wait for standard error. It is
    /// reported again when it happens again after the queue was empty.
    pub(super) fn report_overflow(&self, queue_is_empty: bool) {
        let Overflow { reported, reported_spans, .. } = &self.overflow;
        if queue_is_empty {
            reported.store(false, Ordering::Relaxed);
        }
        let overflowed = self.overflowed();
        let spans = overflowed.iter().map(|(spans, _)| spans).sum();
        if spans == reported_spans.load(Ordering::Relaxed) || reported.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state();
        if !state.silent && due(&mut state.overflow_reported_at, OVERFLOW_REMINDER) {
            reported.store(true, Ordering::Relaxed);
            reported_spans.store(spans, Ordering::Relaxed);
            drop(state);
            let why: Vec<String> = overflowed.into_iter().map(|(_, why)| why).collect();
            let (service, why) = (&self.service, why.join("; "));
            say(format_args!("spans of {service} are being dropped, {spans} so far: {why}"));
        }
    }

    /// What to say of so many lost spans; `None` when there are none. The last flush had this time.
    pub(super) fn report(&self, lost: u64, accepted: u64, flush: Duration) -> Option<String> {
        if lost == 0 {
            return None;
        }
        let state = self.state();
        let mut reasons = self.overflowed();
        let overflowed = !reasons.is_empty();
        for Reason { why, tries, spans } in &state.reasons {
            let why = why.clone().unwrap_or_else(|| format!("no answer within {flush:?}"));
            let tries = if *tries > 1 { format!(" ({tries} attempts)") } else { String::new() };
            reasons.push((*spans, format!("{why}{tries}")));
        }
        let reasons: Vec<String> = match &reasons[..] {
            [(_, why)] if !overflowed => vec![why.clone()],
            reasons => {
                let count = |spans: u64| if spans == 1 { "span" } else { "spans" };
                let reason =
                    |(spans, why): &(u64, String)| format!("{spans} {}: {why}", count(*spans));
                reasons.iter().map(reason).collect()
            }
        };
        let (Self { service, destination, .. }, reasons) = (self, reasons.join("; "));
        Some(format!(
            "{lost} of {accepted} spans lost on the way from {service} to {destination}: {reasons}"
        ))
    }

    fn report_losses(&self, mut state: MutexGuard<'_, LossState>, why: &str) {
        if !state.silent && due(&mut state.losses_reported_at, REMINDER) {
            drop(state);
            let Self { service, destination, .. } = self;
            say(format_args!("{destination}: {why}; spans of {service} are being dropped"));
        }
    }

    /// How many spans did not fit into the queue, and why.
    fn overflowed(&self) -> Vec<(u64, String)> {
        let spans = self.overflow.spans.load(Ordering::Relaxed);
        let bytes = self.overflow.bytes.load(Ordering::Relaxed);
        let mut all = Vec::new();
        if spans > 0 {
            let queue = self.queue;
            let why = format!("the queue of {queue} spans was full; raise OTEL_BSP_MAX_QUEUE_SIZE");
            all.push((spans, why));
        }
        if bytes > 0 {
            let most = MOST_BYTES >> 20;
            let why = format!(
                "waiting spans may take {most} MiB of memory; shorten their texts with \
                 OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"
            );
            all.push((bytes, why));
        }
        all
    }

    fn state(&self) -> MutexGuard<'_, LossState> {
        self.state.lock().unpoisoned()
    }
}

impl LossState {
    fn lose(&mut self, spans: u64, why: Option<&str>, tries: u64) {
        if spans == 0 {
            return;
        }
        let full = self.reasons.len() >= MOST_REASONS;
        match self.reasons.iter_mut().find(|reason| reason.why.as_deref() == why) {
            Some(reason) => {
                reason.spans += spans;
                reason.tries = reason.tries.max(tries);
            }
            None if full => {
                let last = &mut self.reasons[MOST_REASONS - 1];
                last.why = Some("for other reasons".to_owned());
                (last.spans, last.tries) = (last.spans + spans, 0);
            }
            None => self.reasons.push(Reason { why: why.map(str::to_owned), tries, spans }),
        }
    }
}

/// Whether a message is due that was last reported then. If so, its interval starts again.
fn due(reported_at: &mut Option<Instant>, interval: Duration) -> bool {
    let due = reported_at.is_none_or(|at| at.elapsed() >= interval);
    if due {
        *reported_at = Some(Instant::now());
    }
    due
}

#[cfg(test)]
#[path = "losses_tests.rs"]
mod tests;
