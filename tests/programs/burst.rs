//! Spans in a burst, and the account of them. `SPAN_BYTES` says how long the text of each span is.

mod load;

use std::sync::LazyLock;

use spandrel::{AppGuard, Config, Stats, span};

/// By hand, and not by `#[traced_app]`: what happens after the shutdown is what is asked.
struct Spandrel(AppGuard);

impl load::Telemetry for Spandrel {
    fn start() -> Self {
        Self(spandrel::install(Config::new("burst")))
    }

    fn step(number: u64) {
        static TEXT: LazyLock<Option<String>> = LazyLock::new(|| {
            let bytes = std::env::var("SPAN_BYTES").ok()?;
            Some("x".repeat(bytes.parse().expect("a number")))
        });
        step(number, TEXT.as_deref());
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

#[span("step", number = number, text = text)]
fn step(number: u64, text: Option<&str>) {}

fn main() -> Result<(), String> {
    load::run::<Spandrel>()
}
