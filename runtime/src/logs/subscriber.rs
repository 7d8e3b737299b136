//! The subscriber behind `#[traced_app(…, logs)]`: lines for events, spans of libraries in traces.

use tracing::Dispatch;
use tracing::dispatcher::get_default;
use tracing::subscriber::{NoSubscriber, set_global_default};
use tracing_log::{AsLog, LogTracer};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::event::Lines;
use super::line::{FORMAT, LogFormat};
use super::tracing_layer;
use crate::environment::Environment;
use crate::report::say;

pub(crate) struct Logs {
    /// `RUST_LOG` twice: what becomes a line, and what becomes a span beyond the default.
    lines: EnvFilter,
    spans: EnvFilter,
    format: LogFormat,
}

impl Logs {
    pub(crate) fn resolve(environment: &Environment<'_>, terminal: bool) -> Self {
        let filter = |text: &str| EnvFilter::builder().parse(text).ok();
        let expected = "directives like `info,my_crate=debug`";
        let parse = |text: &str| filter(text).zip(filter(text));
        let (lines, spans) = environment
            .parsed("RUST_LOG", expected, DEFAULT, parse)
            .unwrap_or_else(|| (EnvFilter::new(DEFAULT), EnvFilter::new(DEFAULT)));
        let format = if terminal { LogFormat::Text } else { LogFormat::Json };
        Self { lines, spans, format }
    }

    /// Subscribes for as long as the process lives. Who came before us stays.
    pub(crate) fn install(self) {
        if FORMAT.get().is_some() {
            return;
        }
        if let Err(other) = self.subscribe() {
            say(format_args!(
                "{other} is set already, and keeps the log lines; remove it, or the option `logs`"
            ));
        }
    }

    fn subscribe(self) -> Result<(), &'static str> {
        let Self { lines, spans, format } = self;
        let other = "a subscriber of `tracing`";
        if !get_default(Dispatch::is::<NoSubscriber>) {
            return Err(other);
        }
        let level = lines.max_level_hint().unwrap_or(LevelFilter::TRACE);
        LogTracer::builder()
            .with_max_level(level.as_log())
            .init()
            .map_err(|_| "a logger of `log`")?;
        let subscriber =
            Registry::default().with(tracing_layer::layer(spans)).with(Lines.with_filter(lines));
        set_global_default(subscriber).map_err(|_| other)?;
        let _ = FORMAT.set(format);
        Ok(())
    }
}

const DEFAULT: &str = "info";
