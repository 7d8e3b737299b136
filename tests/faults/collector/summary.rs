//! What arrived, as a reader takes it in.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::Collector;

impl Collector {
    /// The spans that arrived, by start time.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = self.record.with_kept(|requests| {
            let resources = requests.iter().flat_map(|request| &request.resource_spans);
            let scopes = resources.flat_map(|resource| &resource.scope_spans);
            scopes.flat_map(|scope| scope.spans.clone()).collect()
        });
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }

    /// An attribute of the first resource that sent spans.
    pub(crate) fn resource(&self, key: &str) -> Option<String> {
        text(&self.resource_attributes(), key)
    }

    /// The attributes of the first resource that sent spans.
    pub(crate) fn resource_attributes(&self) -> Vec<KeyValue> {
        self.record.with_kept(|requests| {
            let spans = requests.first().and_then(|request| request.resource_spans.first());
            let resource = spans.and_then(|spans| spans.resource.clone());
            resource.unwrap_or_default().attributes
        })
    }

    /// An attribute of each resource that sent spans, once for each value.
    pub(crate) fn resources(&self, key: &str) -> Vec<String> {
        let mut values: Vec<String> = self.record.with_kept(|requests| {
            let resources = requests.iter().flat_map(|request| &request.resource_spans);
            let resources = resources.filter_map(|spans| spans.resource.as_ref());
            resources.filter_map(|resource| printed(&resource.attributes, key)).collect()
        });
        values.sort();
        values.dedup();
        values
    }

    /// Each span as `name` or `name<parent`, with `!` and its message where it failed.
    pub(crate) fn summary(&self) -> Vec<String> {
        let spans = self.spans();
        spans
            .iter()
            .map(|span| {
                let parent = spans.iter().find(|other| other.span_id == span.parent_span_id);
                let parent = parent.map(|parent| format!("<{}", parent.name)).unwrap_or_default();
                let failed = span.status.as_ref().filter(|status| status.code == 2);
                let failed =
                    failed.map(|status| format!("!{}", status.message)).unwrap_or_default();
                format!("{}{parent}{failed}", span.name)
            })
            .collect()
    }
}

/// A text or a whole number, as text.
fn printed(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The doubles of an attribute, which is one or an array of them, as Rust writes them.
pub(crate) fn doubles(attributes: &[KeyValue], key: &str) -> Vec<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    let values = match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::ArrayValue(array)) => array.values.iter().collect(),
        Some(_) => found.and_then(|found| found.value.as_ref()).into_iter().collect(),
        None => Vec::new(),
    };
    let double = |value: &AnyValue| match value.value {
        Some(Value::DoubleValue(number)) => number.to_string(),
        _ => format!("{value:?}"),
    };
    values.into_iter().map(double).collect()
}

/// An id as it is written.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A string, boolean or integer attribute, as text.
pub(crate) fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::BoolValue(flag) => Some(flag.to_string()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}
