//! A configuration after the environment had its say: what the pipeline is built from.

use std::borrow::Cow;
#[cfg(feature = "json")]
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::{Key, KeyValue};
use percent_encoding::percent_decode_str;

#[cfg(feature = "_otlp")]
use super::Otlp;
use super::{BatchSettings, Config, Custom, HeadersFunction, LONGEST, Sampling, limits, otlp};
use crate::attribute::redact::Redactor;
use crate::encoding::Limits;
use crate::environment::{Environment, flag};
use crate::sdk::CustomProcessor;

#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    /// `OTEL_SERVICE_NAME`.
    pub(crate) service: Option<String>,
    /// The environment's attributes, and the program's own over them, its name among them.
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) sampling: Sampling,
    pub(crate) destination: Destination,
    pub(crate) processors: Vec<CustomProcessor>,
    pub(crate) batch: BatchSettings,
    pub(crate) limits: Limits,
    pub(crate) baggage: Vec<Key>,
    pub(crate) redact: Option<Redactor>,
    /// Whether spans record where they are in the source.
    pub(crate) code: bool,
    pub(crate) exceptions: ExceptionSignal,
    pub(crate) flush: Duration,
    pub(crate) grace: Option<Duration>,
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
    /// The program's own exporter.
    Custom(Custom),
    #[cfg(feature = "_otlp")]
    Otlp(Box<Otlp>),
    /// OTLP as JSON, a request a line.
    #[cfg(feature = "json")]
    Lines(Lines),
    Console,
    Nowhere,
    /// Each span goes to all of them.
    Several(Vec<Destination>),
}

/// Where lines are written to.
#[cfg(feature = "json")]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lines {
    Stdout,
    /// They are added at the end of this file.
    File(PathBuf),
}

impl Settings {
    /// `None` when tracing is disabled.
    pub(crate) fn resolve(
        config: Config,
        environment: &Environment<'_>,
        terminal: bool,
    ) -> Option<Self> {
        let Config {
            resource: own, version, sampling, batch, exporter, headers, processors, ..
        } = config;
        let Config { baggage, redact, code, flush, grace, .. } = config;
        if disabled(environment) {
            return None;
        }
        let version = version.map(|version| KeyValue::new("service.version", version));
        let mut resource: Vec<KeyValue> = version.into_iter().collect();
        resource.extend(resource_attributes(environment));
        resource.extend(own);
        Some(Self {
            service: environment.text("OTEL_SERVICE_NAME"),
            resource,
            sampling: sampling.resolve(environment),
            destination: Destination::resolve(exporter, headers, environment, terminal),
            processors,
            batch: batch.resolve(environment),
            limits: limits::resolve(environment),
            baggage,
            redact,
            code,
            exceptions: ExceptionSignal::resolve(environment),
            flush: duration(environment, "SPANDREL_FLUSH", Some(flush)).unwrap_or(flush),
            grace: duration(environment, "SPANDREL_GRACE", grace).or(grace),
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

fn duration(
    environment: &Environment<'_>,
    name: &str,
    default: Option<Duration>,
) -> Option<Duration> {
    environment.duration(name, default).map(|time| time.min(LONGEST))
}

fn disabled(environment: &Environment<'_>) -> bool {
    let read = |name, otherwise: bool, parse: fn(&str) -> Option<bool>| {
        environment.parsed(name, "`true` or `false`", otherwise, parse).unwrap_or(otherwise)
    };
    // The specification wants `true` here, and nothing that only looks like it.
    read("OTEL_SDK_DISABLED", false, |text| text.to_ascii_lowercase().parse().ok())
        || !read("ENABLE_TRACING", true, flag)
}

/// `OTEL_RESOURCE_ATTRIBUTES`, which the SDK's own reader neither decodes nor checks. As the specification
/// says, a pair that is malformed discards the whole value.
fn resource_attributes(environment: &Environment<'_>) -> Vec<KeyValue> {
    let parse = |text: &str| {
        let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
        pairs.map(resource_attribute).collect()
    };
    let expected = "key=value pairs, percent-encoded, with commas between them";
    let attributes =
        environment.parsed("OTEL_RESOURCE_ATTRIBUTES", expected, "none of the pairs", parse);
    attributes.unwrap_or_default()
}

fn resource_attribute(pair: &str) -> Option<KeyValue> {
    let decode =
        |text: &str| percent_decode_str(text.trim()).decode_utf8().ok().map(Cow::into_owned);
    let (key, value) = pair.split_once('=')?;
    let key = decode(key).filter(|key| !key.is_empty())?;
    Some(KeyValue::new(key, decode(value)?))
}

impl Destination {
    fn resolve(
        own: Option<Custom>,
        headers: Option<HeadersFunction>,
        environment: &Environment<'_>,
        terminal: bool,
    ) -> Self {
        #[cfg(feature = "_otlp")]
        let otlp = || Self::Otlp(Box::new(Otlp::resolve(headers.clone(), environment)));
        #[cfg(not(feature = "_otlp"))]
        drop(headers);
        let draws = terminal && !otlp::names_an_endpoint(environment);
        let otherwise = match (&own, draws, cfg!(feature = "_otlp")) {
            (Some(_), ..) => "the program's own exporter",
            (None, true, _) => "console",
            (None, false, true) => "otlp",
            (None, false, false) => "none",
        };
        let expected = match (cfg!(feature = "_otlp"), cfg!(feature = "json")) {
            (true, true) => {
                "otlp, console, otlp/stdout, otlp/file, several of these with commas between them, or none"
            }
            (true, false) => {
                "otlp, console, both with a comma between them, or none (and otlp/stdout and otlp/file, with spandrel's \
                 feature `json`)"
            }
            (false, _) => "console or none (and otlp, with spandrel's feature `otlp`)",
        };
        #[cfg(feature = "json")]
        let file = environment.text(FILE);
        let named = environment.parsed(EXPORTER, expected, otherwise, ExporterName::parse_list);
        let Some(named) = named else {
            return match own {
                Some(own) => Self::Custom(own),
                None if draws => Self::Console,
                #[cfg(feature = "_otlp")]
                None => otlp(),
                #[cfg(not(feature = "_otlp"))]
                None => Self::Nowhere,
            };
        };
        #[cfg(feature = "json")]
        let named = without_unnamed_file(named, file.is_some(), environment);
        let destination = |name| match name {
            ExporterName::Console => Self::Console,
            #[cfg(feature = "_otlp")]
            ExporterName::Otlp => otlp(),
            #[cfg(feature = "json")]
            ExporterName::Stdout => Self::Lines(Lines::Stdout),
            #[cfg(feature = "json")]
            ExporterName::File => Self::Lines(Lines::File(file.clone().unwrap_or_default().into())),
        };
        let mut destinations: Vec<_> = named.into_iter().map(destination).collect();
        match destinations.len() {
            0 => Self::Nowhere,
            1 => destinations.remove(0),
            _ => Self::Several(destinations),
        }
    }
}

/// Complains of `otlp/file` if it is not said which file that is, and goes on with the others.
#[cfg(feature = "json")]
fn without_unnamed_file(
    mut named: Vec<ExporterName>,
    is_named: bool,
    environment: &Environment<'_>,
) -> Vec<ExporterName> {
    if named.contains(&ExporterName::File) && !is_named {
        named.retain(|name| *name != ExporterName::File);
        let expected = format!("{FILE} beside it, with the path of a file");
        let otherwise = if named.is_empty() { "none" } else { "the other exporters" };
        environment.complain(EXPORTER, "`otlp/file`", &expected, otherwise);
    }
    named
}

const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
#[cfg(feature = "json")]
const FILE: &str = "SPANDREL_TRACES_FILE";

/// An exporter of `OTEL_TRACES_EXPORTER`. The last ones come last where there are several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ExporterName {
    #[cfg(feature = "_otlp")]
    Otlp,
    #[cfg(feature = "json")]
    File,
    #[cfg(feature = "json")]
    Stdout,
    Console,
}

impl ExporterName {
    /// Names with commas between them, each once. `none` is none of them.
    fn parse_list(text: &str) -> Option<Vec<Self>> {
        let text = text.to_ascii_lowercase();
        if text.trim() == "none" {
            return Some(Vec::new());
        }
        let mut names =
            text.split(',').map(|name| Self::parse(name.trim())).collect::<Option<Vec<_>>>()?;
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            #[cfg(feature = "_otlp")]
            "otlp" => Some(Self::Otlp),
            #[cfg(feature = "json")]
            "otlp/file" => Some(Self::File),
            #[cfg(feature = "json")]
            "otlp/stdout" => Some(Self::Stdout),
            "console" => Some(Self::Console),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "_otlp"))]
mod tests {
    use std::collections::HashMap;
    use std::ffi::OsString;

    use super::*;
    use crate::config::{SampleRate, SampleRules};

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
        let rules = SampleRules::new(0.25);
        assert_eq!(settings.sampling, Sampling { rules, ..Sampling::default() });
        assert_eq!(settings.batch, BatchSettings::default());
        assert_eq!(settings.flush, Duration::from_secs(4));
    }

    #[test]
    fn the_program_s_attributes_are_over_the_environment_s() {
        let pairs = "team=a%2Cb, greeting = hello%20you ,service.name=other,,empty=";
        let settings = settings(&[("OTEL_RESOURCE_ATTRIBUTES", pairs)]);
        let expected = [
            ("team", "a,b"),
            ("greeting", "hello you"),
            ("service.name", "other"),
            ("empty", ""),
            ("service.name", "shop"),
        ];
        assert_eq!(settings.resource, expected.map(|(key, value)| KeyValue::new(key, value)));
        assert_eq!(settings.service, None, "`OTEL_SERVICE_NAME` is over both");
    }

    #[test]
    fn one_malformed_pair_discards_all_resource_attributes() {
        for malformed in ["b", "=c", "d=%ff", "%ff=d", " = "] {
            for pairs in [format!("team=a,{malformed}"), format!("{malformed},team=a")] {
                assert_eq!(
                    complaint("OTEL_RESOURCE_ATTRIBUTES", &pairs),
                    format!(
                        "OTEL_RESOURCE_ATTRIBUTES is `{}`, expected key=value pairs, \
                         percent-encoded, with commas between them; using none of the pairs",
                        pairs.trim()
                    )
                );
            }
        }
    }

    #[test]
    fn an_argument_without_a_sampler_is_reported() {
        const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
        let expected = "expected OTEL_TRACES_SAMPLER beside it (parentbased_traceidratio), \
                        or OTEL_SAMPLE_RATE in its place; using";
        assert_eq!(complaint(ARGUMENT, "0.1"), format!("{ARGUMENT} is `0.1`, {expected} 0.25"));
        let (settings, complaints) =
            resolve(&[(ARGUMENT, "0.1"), ("OTEL_SAMPLE_RATE", "0.5")], false);
        assert_eq!(settings.expect("enabled").sampling.rules.rate, SampleRate::Ratio(0.5));
        assert_eq!(complaints, [format!("{ARGUMENT} is `0.1`, {expected} 0.5")]);
        let (_, complaints) = resolve(&[(ARGUMENT, "0.1"), ("OTEL_TRACES_SAMPLER", "none")], false);
        assert_eq!(complaints.len(), 1, "the complaint is about the sampler: {complaints:?}");
        assert_eq!(
            resolve(&[(ARGUMENT, "0.1"), ("OTEL_TRACES_SAMPLER", "traceidratio")], false).1,
            Vec::<String>::new()
        );
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
        let sampling = |variables: &[(&str, &str)]| {
            let Sampling { rules, parent_based, .. } = settings(variables).sampling;
            (rules.rate, parent_based)
        };
        let ratio = SampleRate::Ratio;
        assert_eq!(sampling(&[("OTEL_SAMPLE_RATE", "0.5")]), (ratio(0.5), true));
        let off = [("OTEL_SAMPLE_RATE", "0.5"), ("OTEL_TRACES_SAMPLER", "always_off")];
        assert_eq!(sampling(&off), (ratio(0.0), false));
        let third = [
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.3"),
        ];
        assert_eq!(sampling(&third), (ratio(0.3), true));
    }

    #[test]
    fn spans_go_where_the_environment_says() {
        let to = |variables: &[(&str, &str)], terminal| {
            resolve(variables, terminal).0.expect("enabled").destination
        };
        assert_eq!(to(&[], true), Destination::Console);
        assert!(matches!(to(&[], false), Destination::Otlp(_)));
        assert!(matches!(to(&[("OTEL_TRACES_EXPORTER", "otlp")], true), Destination::Otlp(_)));
        assert_eq!(to(&[("OTEL_TRACES_EXPORTER", "none")], true), Destination::Nowhere);
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        assert!(matches!(to(&[endpoint], true), Destination::Otlp(_)));
    }

    #[test]
    fn the_deadlines_of_the_last_flush_are_read() {
        let deadlines = |variables: &[(&str, &str)]| {
            let Settings { flush, grace, .. } = settings(variables);
            (flush, grace)
        };
        let seconds = Duration::from_secs;
        assert_eq!(deadlines(&[]), (seconds(4), None));
        let both = [("SPANDREL_FLUSH", "90s"), ("SPANDREL_GRACE", "2m")];
        assert_eq!(deadlines(&both), (seconds(90), Some(seconds(120))));
        assert_eq!(deadlines(&[("SPANDREL_FLUSH", "99999days")]).0, LONGEST);
        assert_eq!(
            complaint("SPANDREL_FLUSH", "0s"),
            "SPANDREL_FLUSH is `0s`, expected a duration such as 30s, 500ms or 2m; using 4s"
        );
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
        for (name, value) in [
            ("OTEL_SDK_DISABLED", "1"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "18446744073709551615"),
            ("OTEL_BSP_SCHEDULE_DELAY", "18446744073709551615"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "-1"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
        ] {
            assert!(complaint(name, value).starts_with(name));
        }
        let third = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "ten")];
        let (resolved, complaints) = resolve(&third, false);
        assert_eq!(resolved.expect("enabled").sampling.rules.rate, SampleRate::Ratio(1.0));
        assert!(complaints[0].ends_with("using 1"), "{complaints:?}");
        let (resolved, complaints) = resolve(&[("OTEL_TRACES_EXPORTER", "zipkin")], true);
        assert_eq!(resolved.expect("enabled").destination, Destination::Console);
        assert!(complaints[0].ends_with("using console"), "{complaints:?}");
        for name in ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_EXPORTER", "OTEL_BSP_SCHEDULE_DELAY"] {
            assert!(complaint(name, "-1e999").contains(name));
        }
    }
}
