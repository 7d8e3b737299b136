//! What the specification says of a request that can be decoded.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span, Status};

/// What is wrong with it.
pub(super) fn request(request: &ExportTraceServiceRequest) -> Vec<String> {
    let mut findings = Findings::default();
    findings.check("a request without spans", !request.resource_spans.is_empty());
    for spans in &request.resource_spans {
        let resource = spans.resource.as_ref().map(|resource| resource.attributes.as_slice());
        let resource = resource.unwrap_or_default();
        let named = resource.iter().any(|attribute| attribute.key == "service.name");
        findings.check("a resource without `service.name`", named);
        findings.check("a resource without spans", !spans.scope_spans.is_empty());
        findings.attributes("the resource", resource);
        spans.scope_spans.iter().for_each(|spans| findings.scope(spans));
    }
    findings.0
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn check(&mut self, finding: &str, good: bool) {
        self.check_in("", finding, good);
    }

    fn check_in(&mut self, place: &str, finding: &str, good: bool) {
        if !good {
            let colon = if place.is_empty() { "" } else { ": " };
            self.0.push(format!("{place}{colon}{finding}"));
        }
    }

    fn scope(&mut self, scope: &ScopeSpans) {
        let named = scope.scope.as_ref().is_some_and(|scope| !scope.name.is_empty());
        self.check("a scope without a name", named);
        self.check("a scope without spans", !scope.spans.is_empty());
        scope.spans.iter().for_each(|span| self.span(span));
    }

    fn span(&mut self, span: &Span) {
        let name = &span.name;
        let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
        let parent = &span.parent_span_id;
        self.check("a span without a name", !name.is_empty());
        self.check_in(name, "its trace id is no id", is_id(&span.trace_id, 16));
        self.check_in(name, "its span id is no id", is_id(&span.span_id, 8));
        self.check_in(name, "its parent is no id", parent.is_empty() || is_id(parent, 8));
        self.check_in(name, "it is its own parent", *parent != span.span_id);
        self.check_in(name, "it has no start", start > 0);
        self.check_in(name, "it ends before it starts", start <= end);
        self.check_in(name, "it has no kind", (1..=5).contains(&span.kind));
        self.check_in(name, "reserved flags are set", span.flags & !0x3ff == 0);
        if let Some(Status { code, message }) = &span.status {
            self.check_in(name, "its status is unknown", (0..=2).contains(code));
            self.check_in(name, "a message without an error", *code == 2 || message.is_empty());
        }
        self.attributes(name, &span.attributes);
        for event in &span.events {
            let good = !event.name.is_empty() && event.time_unix_nano > 0;
            self.check_in(name, "an event without a name or a time", good);
            self.attributes(name, &event.attributes);
        }
        for link in &span.links {
            let good = is_id(&link.trace_id, 16) && is_id(&link.span_id, 8);
            self.check_in(name, "a link to nothing", good);
            self.attributes(name, &link.attributes);
        }
    }

    fn attributes(&mut self, place: &str, attributes: &[KeyValue]) {
        let twice = attributes.iter().enumerate().any(|(index, attribute)| {
            attributes[..index].iter().any(|other| other.key == attribute.key)
        });
        self.check_in(place, "an attribute twice", !twice);
        let keyed = attributes.iter().all(|attribute| !attribute.key.is_empty());
        self.check_in(place, "an attribute without a key", keyed);
        let valued = attributes.iter().all(|attribute| attribute.value.is_some());
        self.check_in(place, "an attribute without a value", valued);
    }
}

fn is_id(id: &[u8], length: usize) -> bool {
    id.len() == length && id.iter().any(|&byte| byte != 0)
}
