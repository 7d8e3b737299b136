//! `tracing` with `tracing-opentelemetry`, as it comes or with all switched off that can be.

use std::hint::black_box;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Subscriber, dispatcher, instrument, subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use super::hand::{Down, provider};
use super::{Failed, Peer, State, Up, Work, block_on, by_functions, polled};

pub(crate) struct Tracing {
    pub(crate) lean: bool,
}

impl Peer for Tracing {
    fn name(&self) -> &'static str {
        if self.lean { "tracing, lean" } else { "tracing" }
    }

    fn up(&self, state: State) -> Option<Up> {
        if state == State::NotInstalled {
            return Some(Box::new(()));
        }
        let provider = provider(state)?;
        let tracer = provider.tracer("benches");
        let default = if self.lean {
            subscriber::set_default(lean(tracer))
        } else {
            subscriber::set_default(Registry::default().with(OpenTelemetryLayer::new(tracer)))
        };
        Some(Box::new((default, Down(provider))))
    }

    fn up_elsewhere(&self) -> Box<dyn Fn() -> Up + Sync> {
        let dispatch = dispatcher::get_default(Clone::clone);
        Box::new(move || Box::new(dispatcher::set_default(&dispatch)))
    }

    fn work(&self, work: Work) -> bool {
        by_functions!(work);
        true
    }
}

/// All switched off that can be.
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
#[instrument(name = "request", fields(http.route = "/"))]
pub(crate) async fn request(spans: u32) -> &'static str {
    for number in 1..spans {
        step(number).await;
    }
    "ok"
}

#[instrument(name = "step")]
async fn step(number: u32) {
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
