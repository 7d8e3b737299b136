//! Several destinations, each of which gets each span.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanContext;

use crate::recorder::{self, Batch, Outlet, Room};
use crate::sdk::Sink;
use crate::stats::{Account, Stats};

/// Several sinks. Each has an account of its own: a span is accepted, and exported or lost, once for each of them. What one
/// of them has no room for, or loses, the others export all the same.
#[derive(Debug)]
pub(crate) struct SeveralSinks {
    /// The number of its pipeline, which the buffers of threads have, is this one's: its thread collects the buffers.
    first: Arc<dyn Sink>,
    others: Vec<Arc<dyn Sink>>,
}

impl SeveralSinks {
    /// `None` without any.
    pub(crate) fn new(sinks: impl IntoIterator<Item = Arc<dyn Sink>>) -> Option<Self> {
        let mut sinks = sinks.into_iter();
        Some(Self { first: sinks.next()?, others: sinks.collect() })
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn Sink>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// Hands over the spans of a batch that there is room for. The sink counts the others as dropped.
fn hand_over(sink: &Arc<dyn Sink>, batch: &Batch) {
    let (mut room, mut fitting) = (Room::default(), Batch::default());
    for record in batch.whole_records() {
        let lacking = Room {
            spans: 1_usize.saturating_sub(room.spans),
            bytes: record.len().saturating_sub(room.bytes),
        };
        if let Some(more) = sink.reserve(lacking) {
            room.spans = room.spans + more.spans - 1;
            room.bytes = room.bytes + more.bytes - record.len();
            fitting.push_record(record);
        }
    }
    sink.release(room);
    if !fitting.is_empty() {
        sink.take(fitting);
    }
}

impl Account for SeveralSinks {
    fn stats(&self) -> Stats {
        self.all().fold(Stats::default(), |sum, sink| sum.plus(sink.stats()))
    }
}

impl Outlet for SeveralSinks {
    fn spans_at_once(&self) -> usize {
        self.all().map(|sink| sink.spans_at_once()).min().unwrap_or(1)
    }

    fn is_open(&self) -> bool {
        self.all().any(|sink| sink.is_open())
    }

    fn expect(&self, span: &SpanContext) {
        self.all().for_each(|sink| sink.expect(span));
    }

    /// The room in the sinks is reserved when they get the spans. Until then, the buffers of threads bound them.
    fn reserve(&self, lacking: Room) -> Option<Room> {
        Some(lacking)
    }

    fn release(&self, _room: Room) {}

    fn wake(&self) {
        self.first.wake();
    }

    fn take(&self, batch: Batch) {
        self.all().for_each(|sink| hand_over(sink, &batch));
    }

    fn buffer(&self) -> Batch {
        self.first.buffer()
    }
}

impl Sink for SeveralSinks {
    fn number(&self) -> usize {
        self.first.number()
    }

    fn flush(&self, deadline: Option<Instant>) -> bool {
        recorder::collect(self.number());
        self.all().for_each(|sink| sink.export_now(deadline));
        let flushed: Vec<_> = self.all().map(|sink| sink.flush(deadline)).collect();
        !flushed.contains(&false)
    }

    fn start_flush(&self, deadline: Instant) {
        recorder::collect(self.number());
        self.all().for_each(|sink| sink.start_flush(deadline));
    }

    fn shut_down(&self, deadline: Instant) -> bool {
        self.start_flush(deadline);
        let flushed: Vec<_> = self.all().map(|sink| sink.shut_down(deadline)).collect();
        !flushed.contains(&false)
    }

    #[cfg(unix)]
    fn export_at_once(&self) {
        self.all().for_each(|sink| sink.export_at_once());
    }

    fn report(&self, flush: Duration) -> Option<String> {
        let reports: Vec<_> = self.all().filter_map(|sink| sink.report(flush)).collect();
        (!reports.is_empty()).then(|| reports.join("; "))
    }

    fn start_over(&self) {
        self.all().for_each(|sink| sink.start_over());
    }
}
