//! The environment variables that are read, each declared once. From this declaration come the table in the
//! documentation and the variables that fuzzers set; a test holds that each of them is read, and no other.

/// A row of a table: variables, and what they override or, for OTLP, their default.
struct Row {
    names: &'static [&'static str],
    #[cfg_attr(not(test), expect(dead_code, reason = "only the documentation has it"))]
    meaning: &'static str,
}

const fn row(names: &'static [&'static str], meaning: &'static str) -> Row {
    Row { names, meaning }
}

const GENERAL: &[Row] = &[
    row(
        &["ENABLE_TRACING", "OTEL_SDK_DISABLED"],
        "everything: with `ENABLE_TRACING=false` or `OTEL_SDK_DISABLED=true`, nothing is set up but \
         [log lines](Self::logs)",
    ),
    row(
        &["OTEL_SERVICE_NAME"],
        "the name that the program gives itself, and any `service.name`. The specification lets a name given in code \
         win; here that name is a default, like every option, so that one binary can run as several services",
    ),
    row(
        &["OTEL_RESOURCE_ATTRIBUTES"],
        "nothing: it adds `key=value` pairs, percent-encoded, with commas between them. What the program sets \
         ([`resource`](Self::resource), its name) wins, so a `service.name` here has no effect: use \
         `OTEL_SERVICE_NAME`. One malformed pair discards all of them",
    ),
    row(
        &["OTEL_PROPAGATORS"],
        "[`extract`](crate::extract) and [`inject`](crate::inject), where tracing is disabled too: `tracecontext`, \
         `baggage`, `b3`, `b3multi`, `jaeger`, several with commas between them, or `none`; default: \
         `tracecontext,baggage`",
    ),
    row(
        &["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"],
        "[`sample`](Self::sample): `always_on`, `always_off`, `traceidratio`, or one of these after `parentbased_`. An \
         argument without a sampler is reported and has no effect",
    ),
    row(
        &["OTEL_SAMPLE_RATE"],
        "the ratio of [`sample`](Self::sample), where the sampler is not named",
    ),
    row(
        &["SPANDREL_SAMPLE_RULES"],
        "all of [`sample_rule`](Self::sample_rule): `pattern=rate` pairs with commas between them, such as \
         `GET /health=0,checkout*=per_second(5)`; in a pattern, `%2C` is a comma and `%25` a percent sign",
    ),
    row(
        &["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY"],
        "[`batch_queue`](Self::batch_queue), [`batch_size`](Self::batch_size), [`batch_delay`](Self::batch_delay) in \
         milliseconds, 0 for no delay",
    ),
    row(
        &["OTEL_BSP_EXPORT_TIMEOUT"],
        "how long a batch is tried, in milliseconds, 0 for no limit; default: no limit (the specification: 30000), \
         because the queue is bounded and batches in it need not be given up",
    ),
    row(
        &[
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_SPAN_EVENT_COUNT_LIMIT",
            "OTEL_SPAN_LINK_COUNT_LIMIT",
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
        ],
        "128 of each in a span",
    ),
    row(
        &["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
        "the length of texts, in characters; default: no limit",
    ),
    row(
        &["SPANDREL_GRACE", "SPANDREL_FLUSH"],
        "[`grace`](Self::grace), [`flush`](Self::flush): a duration such as `30s`, `500ms` or `2m`",
    ),
    row(
        &["OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"],
        "exceptions: with `logs` they are log lines on standard error, with their trace's ids, in place of span events; \
         with `logs/dup` beside them",
    ),
    row(&["RUST_LOG"], "which log lines are written, with [`logs`](Self::logs)"),
    row(
        &["OTEL_TRACES_EXPORTER"],
        "where spans go: `otlp`, `console` (drawn on standard error), with feature `json` `otlp/stdout` and `otlp/file` (a line \
         of OTLP/JSON for each batch, as the specification's file exporter writes it), several of these with commas between them, \
         or `none`",
    ),
    row(
        &["SPANDREL_TRACES_FILE"],
        "the path of the file to which `otlp/file` adds lines; there is no default. The file is created, and may be \
         renamed while the program runs",
    ),
];

/// Each of them may have `OTEL_EXPORTER_OTLP_TRACES_` in place of [`OTLP_PREFIX`].
const OTLP: &[Row] = &[
    row(
        &["OTEL_EXPORTER_OTLP_PROTOCOL"],
        "`http/protobuf`; `http/json` with feature `json`, `grpc` with feature `grpc`",
    ),
    row(
        &["OTEL_EXPORTER_OTLP_ENDPOINT"],
        "`http://localhost:4318`, `http://localhost:4317` for gRPC. Over HTTP `/v1/traces` is appended, not to the form \
         for traces",
    ),
    row(
        &["OTEL_EXPORTER_OTLP_INSECURE"],
        "`false`: a gRPC endpoint without a scheme is `https://`",
    ),
    row(
        &["OTEL_EXPORTER_OTLP_HEADERS"],
        "none; `key=value` pairs, percent-encoded, with commas between",
    ),
    row(
        &["OTEL_EXPORTER_OTLP_TIMEOUT"],
        "10000 ms for each attempt, 0 for no limit. After an attempt times out, the next attempts get twice as long, up \
         to one minute. The specification applies this time to a whole batch; Spandrel applies it to each attempt, \
         because it retries the batch",
    ),
    row(&["OTEL_EXPORTER_OTLP_COMPRESSION"], "`none`; `gzip`, and `zstd` with feature `zstd`"),
    row(
        &["OTEL_EXPORTER_OTLP_CERTIFICATE"],
        "the system's roots; a file of certificates to trust, PEM. It is read again when it changes",
    ),
    row(
        &["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"],
        "none; files for mutual TLS, PEM. They are read again when they change",
    ),
];

/// What the console and the HTTP libraries look at whenever they need it, and not once at the start.
#[cfg(test)]
const AT_ANY_TIME: &[Row] = &[
    row(
        &["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"],
        "the proxy for a collector on another machine, in lower case too, over HTTP and gRPC",
    ),
    row(
        &["COLUMNS"],
        "the width of the console's drawings, from 40 to 240; default: the terminal's, or 100",
    ),
    row(
        &["CLICOLOR_FORCE", "NO_COLOR", "TERM"],
        "the console's colours: always, if `CLICOLOR_FORCE` is not `0`; never, if `NO_COLOR` is set or `TERM` is `dumb`; \
         default: if standard error is a terminal",
    ),
];

const OTLP_PREFIX: &str = "OTEL_EXPORTER_OTLP_";

/// The names of all variables.
pub(crate) fn names() -> Vec<String> {
    let general = GENERAL.iter().flat_map(|row| row.names).map(|name| (*name).to_owned());
    let otlp = OTLP.iter().flat_map(|row| row.names).flat_map(|name| {
        let setting = name.trim_start_matches(OTLP_PREFIX);
        [(*name).to_owned(), format!("{OTLP_PREFIX}TRACES_{setting}")]
    });
    general.chain(otlp).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{AT_ANY_TIME, GENERAL, OTLP, Row};

    fn table(head: &str, rows: &[Row]) -> String {
        let rows = rows.iter().map(|Row { names, meaning }| {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("| {} | {meaning} |\n", names.join(", "))
        });
        format!("| variable | {head} |\n| --- | --- |\n{}", rows.collect::<String>())
    }

    /// Where the page is not what the declarations say, this test corrects it and fails, once.
    #[test]
    fn the_documentation_lists_every_variable() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/variables.md");
        let page = fs::read_to_string(&path).expect("the page");
        let mut tables =
            [("overrides", GENERAL), ("default", OTLP), ("decides about", AT_ANY_TIME)].into_iter();
        let parts = page.trim_end().split("\n\n").map(|part| {
            let next = if part.starts_with('|') { tables.next() } else { None };
            next.map_or_else(|| format!("{part}\n"), |(head, rows)| table(head, rows))
        });
        let expected = parts.collect::<Vec<_>>().join("\n");
        if page != expected {
            fs::write(&path, expected).expect("it can be written");
            panic!("docs/variables.md is corrected now");
        }
    }
}
