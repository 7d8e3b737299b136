//! A configuration after the environment had its say: what the pipeline is built from.

use std::time::Duration;

use opentelemetry::KeyValue;

use super::Config;
use super::environment::{Environment, flag};
use super::url;

#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    /// `OTEL_SERVICE_NAME`.
    pub(crate) service: Option<String>,
    /// The program's own attributes, its name among them.
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) sampling: Sampling,
    pub(crate) destination: Destination,
    pub(crate) batch: Batch,
    pub(crate) exceptions: ExceptionSignal,
    pub(crate) flush: Duration,
    pub(crate) grace: Duration,
}

/// What an exception is recorded as, after the semantic conventions' way from one to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ExceptionSignal {
    SpanEvents,
    Logs,
    Both,
}

/// Where finished spans go.
#[derive(Debug, PartialEq)]
pub(crate) enum Destination {
    /// This URL, by OTLP over HTTP.
    Otlp(String),
    Console,
    Nowhere,
}

/// The standard's samplers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampling {
    pub(crate) ratio: Ratio,
    /// Whether a parent's decision comes first.
    pub(crate) parent_based: bool,
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio(f64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) queue: usize,
    pub(crate) size: usize,
    pub(crate) delay: Duration,
}

impl Settings {
    /// `None` when tracing is disabled.
    pub(crate) fn resolve(
        config: Config,
        environment: &Environment<'_>,
        terminal: bool,
    ) -> Option<Self> {
        let Config { resource, ratio, batch, flush, grace, .. } = config;
        if disabled(environment) {
            return None;
        }
        check_numbers(environment);
        Some(Self {
            service: environment.text("OTEL_SERVICE_NAME"),
            resource,
            sampling: Sampling::resolve(ratio, environment),
            destination: Destination::resolve(environment, terminal),
            batch: Batch::resolve(batch, environment),
            exceptions: ExceptionSignal::resolve(environment),
            flush,
            grace,
        })
    }
}

impl ExceptionSignal {
    fn resolve(environment: &Environment<'_>) -> Self {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "logs" => Some(Self::Logs),
            "logs/dup" => Some(Self::Both),
            _ => None,
        };
        let (name, expected) = ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs or logs/dup");
        let signal = environment.parsed(name, expected, "span events", parse);
        signal.unwrap_or(Self::SpanEvents)
    }
}

fn disabled(environment: &Environment<'_>) -> bool {
    let read = |name, otherwise: bool, parse: fn(&str) -> Option<bool>| {
        environment.parsed(name, "`true` or `false`", otherwise, parse).unwrap_or(otherwise)
    };
    // The specification wants `true` here, and nothing that only looks like it.
    read("OTEL_SDK_DISABLED", false, |text| text.to_ascii_lowercase().parse().ok())
        || !read("ENABLE_TRACING", true, flag)
}

impl Sampling {
    fn resolve(default: Ratio, environment: &Environment<'_>) -> Self {
        let rate = |name, otherwise: Ratio| {
            let parse = |text: &str| Ratio::new(text.parse().ok()?);
            let parsed = environment.parsed(name, "a number from 0 to 1", otherwise.0, parse);
            parsed.unwrap_or(otherwise)
        };
        let sampler = environment.parsed(
            "OTEL_TRACES_SAMPLER",
            "always_on, always_off, traceidratio or one of these after parentbased_",
            format_args!("parentbased_traceidratio with {}", default.0),
            |text| Some(text.to_ascii_lowercase()).filter(|text| SAMPLERS.contains(&text.as_str())),
        );
        let Some(sampler) = sampler else {
            return Self { ratio: rate("OTEL_SAMPLE_RATE", default), parent_based: true };
        };
        let ratio = match sampler.trim_start_matches(PARENT_BASED) {
            "always_off" => Ratio::NEVER,
            // Without an argument the specification's default holds, not the program's.
            "traceidratio" => rate("OTEL_TRACES_SAMPLER_ARG", Ratio::ALWAYS),
            _ => Ratio::ALWAYS,
        };
        Self { ratio, parent_based: sampler.starts_with(PARENT_BASED) }
    }
}

const PARENT_BASED: &str = "parentbased_";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

impl Destination {
    fn resolve(environment: &Environment<'_>, terminal: bool) -> Self {
        let endpoint = endpoint(environment);
        let draws = terminal && endpoint.is_none();
        let otherwise = if draws { "console" } else { "otlp" };
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "otlp" => Some(Exporter::Otlp),
            "console" => Some(Exporter::Console),
            "none" => Some(Exporter::None),
            _ => None,
        };
        let expected = "otlp, console or none";
        let exporter = environment.parsed("OTEL_TRACES_EXPORTER", expected, otherwise, parse);
        match exporter {
            Some(Exporter::None) => Self::Nowhere,
            Some(Exporter::Console) => Self::Console,
            None if draws => Self::Console,
            _ => {
                only_one(environment, "PROTOCOL", "http/protobuf");
                only_one(environment, "COMPRESSION", "none");
                Self::Otlp(endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned()))
            }
        }
    }
}

/// Complains of a setting that is not the only one there is yet.
fn only_one(environment: &Environment<'_>, setting: &str, only: &str) {
    let parse = |text: &str| text.eq_ignore_ascii_case(only).then_some(());
    let traces = format!("OTEL_EXPORTER_OTLP_TRACES_{setting}");
    let all = format!("OTEL_EXPORTER_OTLP_{setting}");
    let name = if environment.text(&traces).is_some() { traces } else { all };
    environment.parsed(&name, only, only, parse);
}

enum Exporter {
    Otlp,
    Console,
    None,
}

const DEFAULT_ENDPOINT: &str = "http://localhost:4318/v1/traces";

/// The URL for traces: the variable for traces as it is, the one for all signals with the path
/// appended.
fn endpoint(environment: &Environment<'_>) -> Option<String> {
    let url = |name| {
        let text = environment.text(name)?;
        if url::is_http(&text) {
            return Some(text);
        }
        let value = format!("`{}`", url::printable(&text));
        environment.complain(name, &value, "an http:// or https:// URL", "none");
        None
    };
    url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .or_else(|| url("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| url::join(&base, "/v1/traces")))
}

/// Complains of numbers that the SDK and its exporter read themselves, without a word.
fn check_numbers(environment: &Environment<'_>) {
    for (name, otherwise) in [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 10_000),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 128),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", 128),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", 128),
    ] {
        environment.parsed(name, "a whole number", otherwise, |text| text.parse::<u32>().ok());
    }
}

impl Batch {
    /// The queue's memory is taken at once.
    pub(super) const LARGEST_QUEUE: usize = 1 << 20;
    /// Without a delay the exporter's thread would never rest.
    pub(super) const SHORTEST_DELAY: Duration = Duration::from_millis(1);

    fn resolve(default: Self, environment: &Environment<'_>) -> Self {
        let millis = u64::try_from(default.delay.as_millis()).unwrap_or(u64::MAX);
        let delay = environment.parsed(
            "OTEL_BSP_SCHEDULE_DELAY",
            "milliseconds, a whole number of at least 1",
            millis,
            |text| {
                let delay = Duration::from_millis(text.parse().ok()?);
                (delay >= Self::SHORTEST_DELAY).then_some(delay)
            },
        );
        let count = |name, otherwise| {
            let expected = format!("a whole number from 1 to {}", Self::LARGEST_QUEUE);
            let parse = |text: &str| {
                text.parse().ok().filter(|count| (1..=Self::LARGEST_QUEUE).contains(count))
            };
            environment.parsed(name, &expected, otherwise, parse).unwrap_or(otherwise)
        };
        let queue = count("OTEL_BSP_MAX_QUEUE_SIZE", default.queue);
        let size = count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", default.size);
        Self { queue, size: size.min(queue), delay: delay.unwrap_or(default.delay) }
    }
}

impl Default for Batch {
    /// The specification's.
    fn default() -> Self {
        Self { queue: 2048, size: 512, delay: Duration::from_secs(5) }
    }
}

impl Ratio {
    pub(crate) const ALWAYS: Self = Self(1.0);
    pub(crate) const NEVER: Self = Self(0.0);

    pub(crate) fn new(ratio: f64) -> Option<Self> {
        (0.0..=1.0).contains(&ratio).then_some(Self(ratio))
    }

    /// The ratio nearest to this number; all for what is not one.
    pub(crate) fn nearest(number: f64) -> Self {
        if number.is_nan() { Self::ALWAYS } else { Self(number.clamp(0.0, 1.0)) }
    }

    pub(crate) fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::ffi::OsString;

    use super::*;

    fn resolve(variables: &[(&str, &str)], terminal: bool) -> (Option<Settings>, Vec<String>) {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        let read = |name: &str| variables.get(name).map(OsString::from);
        let environment = Environment::new(&read);
        let config = Config::new("shop").sample(0.25);
        let settings = Settings::resolve(config, &environment, terminal);
        (settings, environment.into_complaints())
    }

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let (settings, complaints) = resolve(variables, false);
        assert_eq!(complaints, Vec::<String>::new());
        settings.expect("tracing is enabled")
    }

    fn complaint(name: &str, value: &str) -> String {
        let (resolved, complaints) = resolve(&[(name, value)], false);
        assert_eq!(resolved, Some(settings(&[])), "{name}={value} changes nothing");
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        complaints[0].clone()
    }

    #[test]
    fn the_options_are_the_defaults() {
        let settings = settings(&[]);
        assert_eq!(settings.service, None);
        assert_eq!(settings.resource, [KeyValue::new("service.name", "shop")]);
        assert_eq!(settings.sampling, Sampling { ratio: Ratio(0.25), parent_based: true });
        assert_eq!(settings.batch, Batch::default());
        assert_eq!(settings.flush, Duration::from_secs(4));
    }

    #[test]
    fn exceptions_are_span_events_unless_opted_out_of() {
        const NAME: &str = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
        let exceptions = |variables: &[(&str, &str)]| settings(variables).exceptions;
        assert_eq!(exceptions(&[]), ExceptionSignal::SpanEvents);
        assert_eq!(exceptions(&[(NAME, "logs")]), ExceptionSignal::Logs);
        assert_eq!(exceptions(&[(NAME, "logs/dup")]), ExceptionSignal::Both);
        let complaint = complaint(NAME, "both");
        assert!(complaint.ends_with("expected logs or logs/dup; using span events"), "{complaint}");
    }

    #[test]
    fn either_switch_disables() {
        for pair in [("OTEL_SDK_DISABLED", "true"), ("ENABLE_TRACING", "FALSE")] {
            assert_eq!(resolve(&[pair], false).0, None, "{pair:?}");
        }
        assert!(resolve(&[("ENABLE_TRACING", "1")], false).0.is_some());
        assert!(resolve(&[("OTEL_SDK_DISABLED", "")], false).0.is_some());
    }

    #[test]
    fn the_standard_sampler_wins_over_the_short_name() {
        let sampling = |variables: &[(&str, &str)]| settings(variables).sampling;
        assert_eq!(sampling(&[("OTEL_SAMPLE_RATE", "0.5")]).ratio, Ratio(0.5));
        let off = [("OTEL_SAMPLE_RATE", "0.5"), ("OTEL_TRACES_SAMPLER", "always_off")];
        assert_eq!(sampling(&off), Sampling { ratio: Ratio::NEVER, parent_based: false });
        let third = [
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.3"),
        ];
        assert_eq!(sampling(&third), Sampling { ratio: Ratio(0.3), parent_based: true });
    }

    #[test]
    fn spans_go_where_the_environment_says() {
        let to = |variables: &[(&str, &str)], terminal| {
            resolve(variables, terminal).0.expect("enabled").destination
        };
        let otlp = |url: &str| Destination::Otlp(url.to_owned());
        assert_eq!(to(&[], true), Destination::Console);
        assert_eq!(to(&[], false), otlp(DEFAULT_ENDPOINT));
        assert_eq!(to(&[("OTEL_TRACES_EXPORTER", "otlp")], true), otlp(DEFAULT_ENDPOINT));
        assert_eq!(to(&[("OTEL_TRACES_EXPORTER", "none")], true), Destination::Nowhere);
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318/");
        assert_eq!(to(&[all], true), otlp("https://collector:4318/v1/traces"));
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/in");
        assert_eq!(to(&[all, traces], true), otlp("http://traces:1/in"));
    }

    #[test]
    fn a_batch_is_never_larger_than_the_queue() {
        let batch = settings(&[("OTEL_BSP_MAX_QUEUE_SIZE", "100")]).batch;
        assert_eq!((batch.queue, batch.size), (100, 100));
        let batch = settings(&[("OTEL_BSP_SCHEDULE_DELAY", "250")]).batch;
        assert_eq!(batch.delay, Duration::from_millis(250));
    }

    #[test]
    fn nonsense_is_named_with_what_was_expected() {
        assert_eq!(
            complaint("OTEL_SAMPLE_RATE", "ten"),
            "OTEL_SAMPLE_RATE is `ten`, expected a number from 0 to 1; using 0.25"
        );
        assert_eq!(
            complaint("ENABLE_TRACING", "maybe"),
            "ENABLE_TRACING is `maybe`, expected `true` or `false`; using true"
        );
        assert_eq!(
            complaint("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            "OTEL_BSP_MAX_QUEUE_SIZE is `0`, expected a whole number from 1 to 1048576; using 2048"
        );
        assert_eq!(
            complaint("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            "OTEL_EXPORTER_OTLP_ENDPOINT is `localhost:4318`, expected an http:// or https:// \
             URL; using none"
        );
        assert_eq!(
            complaint("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "htps://user:hunter2@host?key=hunter2"),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is `htps://host`, expected an http:// or https:// \
             URL; using none"
        );
        for (name, value) in [
            ("OTEL_SDK_DISABLED", "1"),
            ("OTEL_BSP_SCHEDULE_DELAY", "0"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "18446744073709551615"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "ten"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
        ] {
            assert!(complaint(name, value).starts_with(name));
        }
        assert_eq!(
            complaint("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`, expected http/protobuf; using http/protobuf"
        );
        assert!(complaint("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip").contains("none"));
        let third = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "ten")];
        let (resolved, complaints) = resolve(&third, false);
        assert_eq!(resolved.expect("enabled").sampling.ratio, Ratio::ALWAYS);
        assert!(complaints[0].ends_with("using 1"), "{complaints:?}");
        let (resolved, complaints) = resolve(&[("OTEL_TRACES_EXPORTER", "zipkin")], true);
        assert_eq!(resolved.expect("enabled").destination, Destination::Console);
        assert!(complaints[0].ends_with("using console"), "{complaints:?}");
        for name in ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_EXPORTER", "OTEL_BSP_SCHEDULE_DELAY"] {
            assert!(complaint(name, "-1e999").contains(name));
        }
    }
}
