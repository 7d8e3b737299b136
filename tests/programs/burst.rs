//! Spans in a burst, and the account of them.

mod load;

use spandrel::{AppGuard, Config, Stats, span};

/// By hand, and not by `#[traced_app]`: what happens after the shutdown is what is asked.
struct Spandrel(AppGuard);

impl load::Telemetry for Spandrel {
    fn start() -> Self {
        Self(spandrel::install(Config::new("burst")))
    }

    fn step(number: u64) {
        step(number);
    }

    fn stop(self) -> String {
        drop(self.0);
        let Stats { accepted, exported, dropped, failed, .. } = spandrel::stats();
        format!(
            "\"accepted\": {accepted}, \"exported\": {exported}, \"dropped\": {dropped}, \
             \"failed\": {failed}"
        )
    }
}

#[span("step", number = number)]
fn step(number: u64) {}

fn main() -> Result<(), String> {
    load::run::<Spandrel>()
}
