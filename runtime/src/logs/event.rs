//! Events of `tracing`, and through it records of `log`, as lines.

use std::error::Error;
use std::fmt::Debug;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, TraceContextExt};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::line::LogLine;
use crate::attribute::not_finite;
use crate::context;

pub(super) struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let of_log = event.normalized_metadata();
        let metadata = of_log.as_ref().unwrap_or_else(|| event.metadata());
        let mut content = Content::default();
        event.record(&mut content);
        LogLine {
            time: SystemTime::now(),
            level: metadata.level().as_str(),
            target: metadata.target(),
            message: content.message,
            fields: content.fields,
            span: current_span(metadata.target()),
        }
        .write();
    }
}

/// The span that is current, for an event with this target.
fn current_span(target: &str) -> SpanContext {
    // OpenTelemetry itself may say something while it changes what is current.
    if target.starts_with("opentelemetry") {
        return SpanContext::NONE;
    }
    context::current().span().span_context().clone()
}

#[derive(Default)]
struct Content {
    message: String,
    fields: Vec<(String, Value)>,
}

impl Content {
    fn add(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => {
                self.message = value.as_str().map_or_else(|| value.to_string(), String::from);
            }
            // What `normalized_metadata` has read.
            name if name.starts_with("log.") => {}
            name => {
                let name = name.strip_prefix("r#").unwrap_or(name);
                self.fields.push((name.to_owned(), value));
            }
        }
    }
}

impl Visit for Content {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, not_finite(value).map_or_else(|| json!(value), Value::from));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, json!(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, json!(value.to_string()));
        let causes = std::iter::successors(value.source(), |cause| (*cause).source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        if !causes.is_empty() {
            self.fields.push((format!("{}.sources", field.name()), json!(causes)));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, json!(format!("{value:?}")));
    }
}
