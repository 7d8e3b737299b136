//! What an `exception` event tells that the span's own line does not.

use opentelemetry::trace::{Event, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// An event, less what is drawn in other ways.
pub(super) struct ExceptionText<'a> {
    /// `None` when nothing is left to say of the event itself.
    pub(super) event: Option<&'a Event>,
    pub(super) attributes: Vec<&'a KeyValue>,
    /// The place of a panic, the chain of an error's causes, a stack.
    pub(super) lines: Vec<String>,
}

impl<'a> ExceptionText<'a> {
    pub(super) fn of(span: &'a SpanData, event: &'a Event) -> Self {
        if event.name != "exception" {
            let attributes = event.attributes.iter().collect();
            return Self { event: Some(event), attributes, lines: Vec::new() };
        }
        let place = place(event);
        let stack = text(&event.attributes, "exception.stacktrace");
        let failure = description(span);
        let told = |KeyValue { key, value, .. }: &&KeyValue| match key.as_str() {
            "exception.message" => failure.is_some_and(|message| is_text(value, message)),
            "exception.type" => {
                text(&span.attributes, "error.type").is_some_and(|known| is_text(value, known))
            }
            "exception.stacktrace" => stack.is_some(),
            "code.file.path" | "code.line.number" => place.is_some(),
            _ => false,
        };
        let attributes: Vec<_> =
            event.attributes.iter().filter(|attribute| !told(attribute)).collect();
        Self {
            event: (failure.is_none() || !attributes.is_empty()).then_some(event),
            attributes,
            lines: place
                .into_iter()
                .chain(stack.map(|stack| chain(event, stack)).into_iter().flatten())
                .collect(),
        }
    }
}

fn place(event: &Event) -> Option<String> {
    let file = text(&event.attributes, "code.file.path")?;
    let line = event.attributes.iter().find(|other| other.key.as_str() == "code.line.number")?;
    Some(format!("at {file}:{}", line.value))
}

/// The stack begins with the message that was drawn already.
fn chain<'a>(event: &Event, stack: &'a str) -> impl Iterator<Item = String> + 'a {
    let message = text(&event.attributes, "exception.message");
    let type_name = text(&event.attributes, "exception.type");
    let below = message.or(type_name).and_then(|message| stack.strip_prefix(message));
    let lines = below.filter(|below| below.starts_with('\n')).unwrap_or(stack).lines();
    lines.filter(|line| !line.trim().is_empty()).map(str::to_owned)
}

fn description(span: &SpanData) -> Option<&str> {
    match &span.status {
        Status::Error { description } => Some(description),
        Status::Ok | Status::Unset => None,
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match &attributes.iter().find(|attribute| attribute.key.as_str() == key)?.value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    }
}

fn is_text(value: &Value, text: &str) -> bool {
    matches!(value, Value::String(value) if value.as_str() == text)
}
