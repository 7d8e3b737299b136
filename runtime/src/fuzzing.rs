//! What comes from outside, as it may come at worst: checks for fuzzers, and for tests with input
//! made up at random. Each takes any input and panics where something is wrong.

use std::collections::HashMap;
use std::ffi::OsString;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry_sdk::trace::ShouldSample;

use crate::clean::steers;
use crate::config::{Config, Destination, Encoding, SampleRules, Sampling, Settings};
use crate::environment::{Environment, variables};
use crate::exporter::Answer;
use crate::exporter::otlp::{Reply, grpc, http as otlp_http};
use crate::logs::Logs;
use crate::propagation::Propagator;
use crate::recorder::KeepRules;
use crate::sampling::Sampler;
use crate::{Carrier, ToContext, TraceContext};

/// The answer of a collector over HTTP.
pub fn http_answer(status: u16, content_type: &[u8], retry_after: &[u8], body: &[u8]) {
    let Ok(status) = StatusCode::from_u16(status) else { return };
    let headers = headers(&[("content-type", content_type), ("retry-after", retry_after)]);
    for encoding in [None, Some(Encoding::Gzip)] {
        check(otlp_http::read(status, &headers, body, encoding));
    }
}

/// The answer of a collector over gRPC, in its trailers.
pub fn grpc_answer(status: &[u8], message: &[u8], details: &[u8]) {
    let mut trailers = headers(&[
        ("grpc-status", status),
        ("grpc-message", message),
        ("grpc-status-details-bin", details),
    ]);
    grpc::remove_malformed_details(&mut trailers);
    if let Some(status) = tonic::Status::from_header_map(&trailers) {
        check(grpc::read(&status, None));
    }
    let text = String::from_utf8_lossy(message);
    let code = tonic::Code::from_bytes(status);
    check(grpc::read(&tonic::Status::with_details(code, text, details.to_vec().into()), None));
}

/// Calls on spans, in the order and with the arguments that these bytes stand for: the recorder's bytes say what was
/// recorded.
pub fn recorder(bytes: &[u8]) {
    crate::recorder::reference_model::check_bytes(bytes);
}

fn headers(all: &[(&'static str, &[u8])]) -> HeaderMap {
    let valid = all.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?))
    });
    valid.collect()
}

fn check(reply: Reply) {
    match reply {
        Reply::Answer(Answer::Taken { message: None, .. }) => {}
        Reply::Answer(
            Answer::Taken { message: Some(why), .. }
            | Answer::Refused(why)
            | Answer::Unavailable { why, .. },
        )
        | Reply::EncodingRefused(why)
        | Reply::CredentialsRefused(why) => fits_one_line(&why),
        Reply::TimedOut(_) | Reply::Unreachable(_) => unreachable!("there was an answer"),
    }
}

fn fits_one_line(text: &str) {
    assert!(!text.contains(steers), "{text:?}");
    assert!(text.chars().count() < 500, "{text:?}");
}

/// The variables that are read, but for those that name files, and one that is not.
fn variables() -> Vec<String> {
    let names_a_file = |name: &str| name.ends_with("CERTIFICATE") || name.ends_with("CLIENT_KEY");
    let mut names = variables::names();
    names.retain(|name| !names_a_file(name));
    names.push("OTEL_UNKNOWN".to_owned());
    names
}

/// Variables, by their number, with values of any bytes.
pub fn environment(variables: &[(u8, Vec<u8>)]) {
    let names = self::variables();
    let read = |name: &str| {
        let of_that_name =
            |(number, _): &&(u8, Vec<u8>)| names[usize::from(*number) % names.len()] == name;
        variables.iter().find(of_that_name).map(|(_, value)| os_string(value))
    };
    for terminal in [true, false] {
        let (complaints, _) = resolve(&read, terminal);
        for complaint in &complaints {
            fits_one_line(complaint);
        }
    }
}

/// Headers and URLs with a secret between these.
pub fn secrets(before: &str, after: &str) {
    const SECRET: &str = "hunter2";
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    if before.contains(SECRET) || after.contains(SECRET) {
        return;
    }
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_HEADERS", format!("{before}{SECRET}{after}")),
        (ENDPOINT, format!("{before}{SECRET}@{after}")),
        (ENDPOINT, format!("https://{before}{SECRET}@{after}")),
        (ENDPOINT, format!("https://collector?{before}{SECRET}{after}")),
    ] {
        for protocol in ["http/protobuf", "grpc"] {
            let read = |asked: &str| match asked {
                "OTEL_EXPORTER_OTLP_PROTOCOL" => Some(protocol.into()),
                asked => (asked == name).then(|| OsString::from(&value)),
            };
            let (complaints, printed) = resolve(&read, false);
            for said in complaints.iter().chain(&printed) {
                assert!(!said.contains(SECRET), "{value:?}: {said}");
            }
        }
    }
}

/// What is complained of, and what can be printed of the settings.
fn resolve(
    read: &dyn Fn(&str) -> Option<OsString>,
    terminal: bool,
) -> (Vec<String>, Option<String>) {
    let environment = Environment::new(read);
    Logs::resolve(&environment, terminal);
    Propagator::resolve(&environment);
    let settings = Settings::resolve(Config::new("fuzzed"), &environment, terminal);
    if let Some(Settings { destination: Destination::Otlp(otlp), .. }) = &settings {
        fits_one_line(&otlp.destination());
    }
    (environment.into_complaints(), settings.map(|settings| format!("{settings:?}")))
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;

    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The headers of a caller, as texts.
pub fn context(traceparent: &str, tracestate: &str, baggage: &str) {
    let headers = [("traceparent", traceparent), ("tracestate", tracestate), ("baggage", baggage)];
    let carrier = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    passed_on(&carrier.into_iter().collect());
}

/// The headers that some propagator reads.
const HEADERS: [&str; 9] = [
    "b3",
    "baggage",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "x-b3-flags",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
];

/// Headers of a caller, by their number, with values of any bytes.
pub fn propagators(received: &[(u8, Vec<u8>)]) {
    let named = received
        .iter()
        .map(|(number, value)| (HEADERS[usize::from(*number) % HEADERS.len()], value.as_slice()));
    let context = headers(&named.clone().collect::<Vec<_>>()).extract_context();
    passes_on(&propagator("tracecontext,baggage"), &context);
    let carrier: TraceContext = named
        .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    for name in ["tracecontext", "baggage", "b3", "b3multi", "jaeger"] {
        let propagator = propagator(name);
        passes_on(&propagator, &propagator.extract(&carrier));
    }
}

fn propagator(name: &str) -> Propagator {
    Propagator::resolve(&Environment::new(&|_| Some(name.into())))
}

/// What is sent of a context is valid; whoever gets it sends the same.
fn passes_on(propagator: &Propagator, context: &Context) {
    let (mut sent, mut again) = (HashMap::new(), HashMap::new());
    propagator.inject_context(context, &mut sent);
    for value in sent.values() {
        fits_a_header(value);
    }
    let received = propagator.extract_with_context(&Context::new(), &sent);
    propagator.inject_context(&received, &mut again);
    assert_eq!(sent, again);
    let ids = |context: &Context| {
        let span = context.span();
        (span.span_context().trace_id(), span.span_context().span_id())
    };
    assert!(propagator.fields().all(|name| name == "baggage") || ids(&received) == ids(context));
}

/// A trace context in a body.
pub fn trace_context(json: &[u8]) {
    let Ok(carrier) = serde_json::from_slice::<TraceContext>(json) else { return };
    let again = serde_json::to_vec(&carrier).expect("a map of strings");
    assert_eq!(serde_json::from_slice::<TraceContext>(&again).expect("as before"), carrier);
    let span = carrier.to_span_context();
    assert!(!span.is_valid() || span.is_remote(), "{span:?}");
    passed_on(&carrier);
}

/// What came in goes out again, and means the same.
fn passed_on(carrier: &TraceContext) {
    let context = crate::extract(carrier);
    let span = context.span().span_context().clone();
    let sampled = sampler().should_sample(
        Some(&context),
        span.trace_id(),
        "name",
        &SpanKind::Server,
        &[],
        &[],
    );
    fits_a_header(&sampled.trace_state.header());

    passes_on(&propagator("tracecontext,baggage"), &context);
}

fn sampler() -> Sampler {
    Sampler::new(&Sampling {
        rules: SampleRules::new(0.5),
        parent_based: false,
        consistent: true,
        keep: KeepRules::default(),
    })
}

fn fits_a_header(value: &str) {
    assert!(HeaderValue::from_str(value).is_ok(), "{value:?}");
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    /// Any text, or pieces of what is expected.
    fn text(pieces: &'static str) -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), pieces]
    }

    fn bytes(pieces: &'static str) -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![vec(any::<u8>(), 0..64), pieces.prop_map(String::into_bytes)]
    }

    /// Each declared variable is read, and no other.
    #[test]
    fn the_variables_that_are_read_are_the_declared_ones() {
        let asked = RefCell::new(BTreeSet::new());
        let grpc = [("PROTOCOL", "grpc"), ("ENDPOINT", "collector:4317")];
        for (prefix, values) in
            [("", &[][..]), ("OTEL_EXPORTER_OTLP_", &grpc), ("OTEL_EXPORTER_OTLP_TRACES_", &grpc)]
        {
            let read = |name: &str| {
                asked.borrow_mut().insert(name.to_owned());
                let value =
                    values.iter().find(|(setting, _)| name.strip_prefix(prefix) == Some(*setting));
                value.map(|(_, value)| OsString::from(value))
            };
            resolve(&read, false);
        }
        assert_eq!(asked.into_inner(), variables::names().into_iter().collect());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn answers_over_http_are_read(
            status in prop_oneof![Just(200), Just(503), 100..1000_u16],
            content_type in bytes("application/(json|x-protobuf)[;a-z]{0,9}"),
            retry_after in bytes("[+-]?[0-9]{0,25}|[A-Z][a-z]{2}, [0-9]{2} Nov [0-9]{4} 0[0-9]:00:00 GMT"),
            body in bytes("\\{\"partialSuccess\":\\{\"rejectedSpans\":\"?-?[0-9]{1,25}\"?,\"errorMessage\":\".{0,300}\"\\}\\}"),
        ) {
            http_answer(status, &content_type, &retry_after, &body);
        }

        #[test]
        fn answers_over_grpc_are_read(
            status in bytes("[0-9]{1,3}"),
            message in bytes("(%[0-9A-F]{2}|[ -~]){0,300}"),
            details in bytes("[A-Za-z0-9+/]{0,90}={0,2}"),
        ) {
            grpc_answer(&status, &message, &details);
        }

        #[test]
        fn the_environment_is_read(
            variables in vec(
                (any::<u8>(), bytes("-?[0-9.e]{0,9}|https?://[!-~]{0,20}|([a-z]{0,3}[=,]%?[ -~]{0,3}){0,5}")),
                0..12,
            ),
        ) {
            environment(&variables);
        }

        #[test]
        fn secrets_are_kept(before in text("[a-z:/?#@%=, ]{0,12}"), after in text("[a-z:/?#@%=, ]{0,12}")) {
            secrets(&before, &after);
        }

        #[test]
        fn contexts_are_passed_on(
            traceparent in text("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[a-z]{0,4})?"),
            tracestate in text("(ot=(th|rv):[0-9a-f]{0,15};?|[a-z@]{1,4}=[ -~]{0,9}|,){0,9}"),
            baggage in text("([a-z]{1,4}=(%[0-9A-F]{2}|[!-~]){0,9}[;,]){0,9}"),
        ) {
            context(&traceparent, &tracestate, &baggage);
        }

        #[test]
        fn any_headers_are_read(
            headers in vec(
                (any::<u8>(), bytes("[0-9a-f]{16}|[0-9a-f]{32}|[01d]|[0-9a-f]{32}[-:][0-9a-f]{16}[-:][01d](:1)?|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|([a-z@]{1,4}=[ -~]{0,9},?){0,9}")),
                0..12,
            ),
        ) {
            propagators(&headers);
        }

        #[test]
        fn what_is_valid_goes_out_as_it_came_in(
            traceparent in "00-[0-9a-f]{31}[1-9a-f]-[0-9a-f]{15}[1-9a-f]-0[0-3]",
            tracestate in btree_map("[a-z0-9][a-z0-9_*/@-]{0,20}", "[ -+\\--<>-~]{0,20}[!-+\\--<>-~]", 0..11),
            baggage in btree_map(
                "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}",
                "([!#$&-*./0-:<>-\\[\\]-~-]|%(0A|20|22|25|2B|2C|3B|3D|5C|C3%BC)){0,20}(;[a-z]{1,4}(=[!#-+:=-Z%]{0,4})?){0,3}",
                0..12,
            ),
        ) {
            let list = |members: BTreeMap<String, String>| {
                let members = members.into_iter().map(|(key, value)| format!("{key}={value}"));
                members.collect::<Vec<_>>().join(",")
            };
            let pairs = [("traceparent", traceparent), ("tracestate", list(tracestate)), ("baggage", list(baggage))];
            let received: TraceContext = pairs.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
            let propagator = propagator("tracecontext,baggage");
            let mut sent = HashMap::new();
            propagator.inject_context(&propagator.extract_with_context(&Context::new(), &received), &mut sent);
            prop_assert_eq!(sent.into_iter().collect::<TraceContext>(), received);
        }

        #[test]
        fn trace_contexts_in_bodies_are_read(
            json in bytes("\\{(\"(traceparent|tracestate|[a-z]{1,9})\":\"[ !#-~]{0,60}\"),?\\}"),
        ) {
            trace_context(&json);
        }
    }
}
