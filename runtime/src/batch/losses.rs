//! What goes wrong on the way to a destination, what is said of it while it happens, and why spans were
//! lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::report::{line, say};

/// What goes on being wrong is said again after this time.
const REMINDER: Duration = Duration::from_secs(60);

/// The shortest time between two messages that the queue is full.
const OVERFLOW_REMINDER: Duration = Duration::from_secs(1);

/// How many different reasons for losses are kept apart.
const MOST_REASONS: usize = 4;

/// The troubles on the way to one destination.
#[derive(Debug)]
pub(super) struct Losses {
    /// The service whose spans these are.
    service: String,
    destination: String,
    queue: usize,
    overflow: Overflow,
    state: Mutex<State>,
}

/// Spans that found the queue full.
#[derive(Debug, Default)]
struct Overflow {
    spans: AtomicU64,
    /// Whether this was said since the queue was last empty.
    told: AtomicBool,
    /// How many of them that message counted.
    told_spans: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Requests since the destination last answered for good.
    tries: u64,
    /// Why the last request failed, until one succeeds.
    outage: Option<Outage>,
    reasons: Vec<Reason>,
    warned: Option<Instant>,
    told_of_losses: Option<Instant>,
    told_of_overflow: Option<Instant>,
    /// Nothing is said any more but the report at the end.
    silent: bool,
}

#[derive(Debug)]
struct Outage {
    why: String,
    since: Instant,
    told: Option<Instant>,
}

/// Why so many spans were lost.
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

    /// Says nothing from now on but the report at the end.
    pub(super) fn silence(&self) {
        self.state().silent = true;
    }

    /// A request is about to be made.
    pub(super) fn try_starts(&self) {
        self.state().tries += 1;
    }

    /// A request was taken, but for so many spans; and what the destination said to it.
    pub(super) fn taken(&self, rejected: usize, message: Option<&str>) {
        let mut state = self.state();
        let tries = std::mem::take(&mut state.tries);
        let outage = state.outage.take();
        if rejected > 0 {
            let why = message.map_or_else(|| "some spans were rejected".to_owned(), line);
            state.lose(rejected as u64, Some(&why), 1);
            return self.tell_of_losses(state, &why);
        }
        let warning = message.filter(|_| due(&mut state.warned, REMINDER)).map(line);
        let silent = state.silent;
        drop(state);
        if silent {
            return;
        }
        let Self { service, destination, .. } = self;
        if let Some(outage) = outage.filter(|outage| outage.told.is_some()) {
            let seconds = outage.since.elapsed().as_secs_f64();
            say(format_args!(
                "{destination} takes the spans of {service} again, after {seconds:.1} s and {tries} tries"
            ));
        }
        if let Some(warning) = warning {
            say(format_args!("{destination}: {warning}; the spans of {service} were taken"));
        }
    }

    /// So many spans were refused for good.
    pub(super) fn refused(&self, spans: u64, why: &str) {
        let why = line(why);
        let mut state = self.state();
        let tries = std::mem::take(&mut state.tries);
        state.outage = None;
        state.lose(spans, Some(&why), tries);
        self.tell_of_losses(state, &why);
    }

    /// A request failed that will be made again. What fails while somebody waits for a flush is told at
    /// the end, or when the flush is over.
    pub(super) fn unavailable(&self, why: &str, hurry: bool) {
        let mut state = self.state();
        let silent = state.silent;
        let outage = state.outage.get_or_insert_with(|| Outage {
            why: String::new(),
            since: Instant::now(),
            told: None,
        });
        outage.why = line(why);
        if !hurry && !silent && due(&mut outage.told, REMINDER) {
            let why = outage.why.clone();
            drop(state);
            let Self { service, destination, queue, .. } = self;
            say(format_args!(
                "{destination}: {why}; the spans of {service} are kept, up to {queue} more, and sent again"
            ));
        }
    }

    /// So many spans are given up, because their time is over.
    pub(super) fn given_up(&self, spans: u64) {
        let mut state = self.state();
        let why = state.outage.as_ref().map(|outage| outage.why.clone());
        let tries = state.tries;
        state.lose(spans, why.as_deref(), tries);
    }

    /// So many spans are given up in the middle of a try, because this time for them is over.
    pub(super) fn given_up_after(&self, spans: u64, limit: Duration) {
        let mut state = self.state();
        let why = match &state.outage {
            Some(outage) => outage.why.clone(),
            None => format!("no answer within {limit:?}"),
        };
        let tries = state.tries;
        state.lose(spans, Some(&why), tries);
    }

    /// A span found the queue full; whether that is still to be told.
    pub(super) fn overflow(&self) -> bool {
        self.overflow.spans.fetch_add(1, Ordering::Relaxed);
        !self.overflow.told.load(Ordering::Relaxed)
    }

    /// Said by the exporter's thread: the program's must not wait for standard error. It is said again when
    /// it happens again, after the queue was empty.
    pub(super) fn tell_overflow(&self, queue_is_empty: bool) {
        let Overflow { spans, told, told_spans } = &self.overflow;
        if queue_is_empty {
            told.store(false, Ordering::Relaxed);
        }
        let spans = spans.load(Ordering::Relaxed);
        if spans == told_spans.load(Ordering::Relaxed) || told.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state();
        if !state.silent && due(&mut state.told_of_overflow, OVERFLOW_REMINDER) {
            told.store(true, Ordering::Relaxed);
            told_spans.store(spans, Ordering::Relaxed);
            drop(state);
            let (service, full) = (&self.service, self.full());
            say(format_args!("spans of {service} are being dropped, {spans} so far: {full}"));
        }
    }

    /// What to say of so many lost spans; `None` when there are none. The last flush had this time.
    pub(super) fn report(&self, lost: u64, accepted: u64, flush: Duration) -> Option<String> {
        if lost == 0 {
            return None;
        }
        let state = self.state();
        let overflowed = self.overflow.spans.load(Ordering::Relaxed);
        let mut reasons: Vec<(u64, String)> = Vec::new();
        if overflowed > 0 {
            reasons.push((overflowed, self.full()));
        }
        for Reason { why, tries, spans } in &state.reasons {
            let why = why.clone().unwrap_or_else(|| format!("no answer within {flush:?}"));
            let tries = if *tries > 1 { format!(" ({tries} tries)") } else { String::new() };
            reasons.push((*spans, format!("{why}{tries}")));
        }
        let reasons: Vec<String> = match &reasons[..] {
            [(_, why)] if overflowed == 0 => vec![why.clone()],
            reasons => reasons.iter().map(|(spans, why)| format!("{spans} spans: {why}")).collect(),
        };
        let (Self { service, destination, .. }, reasons) = (self, reasons.join("; "));
        Some(format!(
            "{lost} of {accepted} spans lost on the way from {service} to {destination}: {reasons}"
        ))
    }

    fn tell_of_losses(&self, mut state: MutexGuard<'_, State>, why: &str) {
        if !state.silent && due(&mut state.told_of_losses, REMINDER) {
            drop(state);
            let Self { service, destination, .. } = self;
            say(format_args!("{destination}: {why}; spans of {service} are being lost"));
        }
    }

    fn full(&self) -> String {
        format!("the queue of {} was full, raise OTEL_BSP_MAX_QUEUE_SIZE", self.queue)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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

/// Whether something is to be said that was last said then; if so, it is said now.
fn due(told: &mut Option<Instant>, reminder: Duration) -> bool {
    let due = told.is_none_or(|told| told.elapsed() >= reminder);
    if due {
        *told = Some(Instant::now());
    }
    due
}
