//! `tracing` with `tracing-opentelemetry`, as it comes or with all switched off that others do not do.

use std::hint::black_box;
use std::sync::{PoisonError, RwLock};

use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Dispatch, Subscriber, dispatcher, instrument};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use super::hand::{Down, Provided};
use super::{Failed, Peer, SetUp, State, Work, block_on, by_functions, polled};

pub(crate) struct Tracing {
    lean: bool,
    provided: RwLock<Option<(Dispatch, Provided)>>,
}

impl Tracing {
    pub(crate) fn new(lean: bool) -> Self {
        Self { lean, provided: RwLock::default() }
    }
}

impl Peer for Tracing {
    fn name(&self) -> &'static str {
        if self.lean { "tracing, lean" } else { "tracing" }
    }

    fn set_up(&self, state: State, queue: usize) -> Option<SetUp> {
        let mut place = self.provided.write().unwrap_or_else(PoisonError::into_inner);
        if state == State::NotInstalled {
            *place = None;
            return Some(Box::new(()));
        }
        let provided = Provided::new(state, queue)?;
        let tracer = provided.tracer.clone();
        let dispatch = if self.lean {
            Dispatch::new(lean(tracer))
        } else {
            Dispatch::new(Registry::default().with(OpenTelemetryLayer::new(tracer)))
        };
        let down = Down(provided.provider.clone());
        *place = Some((dispatch, provided));
        Some(Box::new(down))
    }

    fn enter(&self) -> SetUp {
        let provided = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        Box::new(provided.as_ref().map(|(dispatch, _)| dispatcher::set_default(dispatch)))
    }

    fn exported(&self) -> Option<u64> {
        let provided = self.provided.read().unwrap_or_else(PoisonError::into_inner);
        provided.as_ref().map(|(_, provided)| provided.exported())
    }

    fn work(&self, work: Work) -> bool {
        by_functions!(work);
        true
    }
}

/// All switched off but what others do too: the `Context`, and what an error is.
pub(crate) fn lean(tracer: SdkTracer) -> impl Subscriber + Send + Sync {
    let layer = OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_level(false);
    Registry::default().with(layer)
}

/// A request with so many spans.
#[instrument(name = "request", skip_all, fields(otel.kind = "server", http.route = "/"))]
pub(crate) async fn request(spans: u32) -> &'static str {
    for number in 1..spans.into() {
        step(number).await;
    }
    "ok"
}

#[instrument(name = "step")]
async fn step(number: i64) {
    black_box(number);
}

#[instrument(name = "root", fields(number = 0, text = "root"))]
fn tree() {
    for number in 0..10 {
        child(black_box(number), black_box("child"));
    }
}

#[instrument(name = "child")]
fn child(number: i64, text: &str) {
    black_box((number, text));
}

#[instrument(name = "deep", skip_all)]
fn deep(left: u32) {
    if left > 1 {
        deep(left - 1);
    }
    black_box(left);
}

#[instrument(name = "polls", skip_all)]
async fn polls(times: u32) {
    polled(times).await;
}

#[instrument(
    name = "twenty",
    skip_all,
    fields(
        a = n, b = n, c = n, d = n, e = n, f = n, g = n, h = n, i = n, j = n,
        k = n, l = n, m = n, o = n, p = n, q = n, r = n, s = n, t = n, u = n,
    )
)]
fn twenty(n: i64) {
    black_box(n);
}

#[instrument(name = "fails", skip_all, err)]
fn fails(yes: bool) -> Result<u32, Failed> {
    if yes { Err(Failed) } else { Ok(7) }
}
