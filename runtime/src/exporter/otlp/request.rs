//! The bytes of a request: an `ExportTraceServiceRequest` of OTLP round the bytes of the spans.

use opentelemetry_sdk::Resource;

use crate::encoding::{Limits, Writer, field_length, write_attribute};
use crate::recorder::{Batch, ScopeId, write_scope};

/// What all requests of a pipeline say of the program: the fields of a `ResourceSpans` message round its spans.
pub(super) struct RequestFrame {
    resource: Vec<u8>,
    schema_url: Vec<u8>,
}

/// The spans of one scope in a request: a `ScopeSpans` message.
struct ScopeSpans {
    id: ScopeId,
    scope: Vec<u8>,
    /// How many bytes the fields with the spans take.
    spans: usize,
    schema_url: Vec<u8>,
}

impl RequestFrame {
    pub(super) fn new(resource: &Resource) -> Self {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes).message(1, |writer| {
            for (key, value) in resource {
                write_attribute(writer, 1, key.as_str(), value.into(), &Limits::NONE);
            }
        });
        Self { resource: bytes, schema_url: schema_url(resource.schema_url()) }
    }

    /// The request with these spans. The spans of one scope are together.
    pub(super) fn request(&self, batch: &Batch) -> Vec<u8> {
        let groups = group_by_scope(batch);
        let lengths = groups.iter().map(|group| field_length(group.length()));
        let length = self.resource.len() + lengths.sum::<usize>() + self.schema_url.len();
        let mut request = Vec::with_capacity(field_length(length));
        let mut writer = Writer::new(&mut request);
        writer.head(1, length);
        writer.raw(&self.resource);
        for group in &groups {
            writer.head(2, group.length());
            writer.raw(&group.scope);
            for record in batch.records().filter(|record| record.scope == group.id) {
                writer.bytes(2, record.message);
            }
            writer.raw(&group.schema_url);
        }
        writer.raw(&self.schema_url);
        request
    }
}

impl ScopeSpans {
    fn new(id: ScopeId) -> Self {
        let instrumentation = id.scope();
        let mut scope = Vec::new();
        Writer::new(&mut scope).message(1, |writer| write_scope(writer, &instrumentation));
        Self { id, scope, spans: 0, schema_url: schema_url(instrumentation.schema_url()) }
    }

    fn length(&self) -> usize {
        self.scope.len() + self.spans + self.schema_url.len()
    }
}

/// One group for each scope, in the order of their first spans.
fn group_by_scope(batch: &Batch) -> Vec<ScopeSpans> {
    let mut groups: Vec<ScopeSpans> = Vec::new();
    for record in batch.records() {
        let known = groups.iter().position(|group| group.id == record.scope);
        let index = known.unwrap_or_else(|| {
            groups.push(ScopeSpans::new(record.scope));
            groups.len() - 1
        });
        groups[index].spans += field_length(record.message.len());
    }
    groups
}

/// The field with a schema's URL: the same one in both messages that have it.
fn schema_url(url: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).text(3, url.unwrap_or_default());
    bytes
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
    use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::recorder::tests::{batch, pairs, spans};

    proptest! {
        #[test]
        fn the_bytes_are_those_of_the_messages(spans in vec(spans(), 0..6), pairs in pairs()) {
            let resource = Resource::builder_empty().with_schema_url(pairs, "https://schema").build();
            let described = ResourceAttributesWithSchema::from(&resource);
            let encoded = RequestFrame::new(&resource).request(&batch(&spans));
            let resource_spans = group_spans_by_resource_and_scope(spans, &described);
            let expected = ExportTraceServiceRequest { resource_spans };
            prop_assert_eq!(encoded, expected.encode_to_vec());
        }
    }
}
