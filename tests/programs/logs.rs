//! An app that logs, beside others or alone.

use std::collections::HashMap;

use spandrel::{propagate, span, traced_app};

struct App;

#[traced_app("logs", logs)]
impl App {
    fn setup() -> Self {
        Self
    }
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    match how.as_str() {
        "subscriber" => {
            let theirs = tracing_subscriber::registry();
            tracing::subscriber::set_global_default(theirs).expect("it is the first");
        }
        "logger" => {
            log::set_logger(&TheirLogger).expect("it is the first");
            log::set_max_level(log::LevelFilter::Info);
        }
        _ => {}
    }
    let app = App::setup();
    log::info!("by log, outside");
    tracing::info!(answer = 42, "by tracing, outside");
    work();
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    handle(&HashMap::from([("traceparent".to_owned(), caller)]));
    let _ = fails();
    app.teardown();
    log::info!("after the end");
}

#[span("work")]
fn work() {
    log::warn!(target: "shop", "by log, inside");
    tracing::info!(user = "Ada", paid = true, ratio = f64::NAN, "by tracing, inside");
    tracing::debug!("a detail");
}

#[propagate(headers)]
fn handle(headers: &HashMap<String, String>) {
    log::info!("handled {}", headers.len());
}

#[span("fails")]
fn fails() -> Result<(), std::io::Error> {
    let error = std::io::Error::other("no luck");
    tracing::error!(error = &error as &dyn std::error::Error, "it failed");
    Err(error)
}

struct TheirLogger;

impl log::Log for TheirLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("theirs: {}", record.args());
    }

    fn flush(&self) {}
}
