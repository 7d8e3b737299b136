//! The options of the attributes, each declared once: its name, how its value is read, how it is written, and what it
//! means. From a declaration come the type that the attribute's parser fills, the checks and suggestions
//! ([`Options`](super::Options)), the tests of every mistake (`mistakes`), and the table in the documentation.

use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitStr, MetaNameValue, Path, Token};

use super::arguments::Key;
use super::baggage_entry::BaggageEntry;
use super::options::{OptionArgument, Options};
use super::sample_argument::SampleArgument;
use super::table::OptionTable;
use super::value_attributes::ValueAttributes;
use crate::diagnostics::Errors;

/// Declares the options of an attribute.
///
/// `field ["name"]: how Type, form, meaning, variables;` where
///
/// - `how` is the method of [`Options`] that reads the value: `flag`, `value`, `code` (not in quotes) or `values`
///   (with commas between);
/// - a form is how the option is written, with its meaning and, for `#[traced_app]`, the variables that override it, as
///   they stand in the documentation's table. An option may have more than one, each on a line of its own.
macro_rules! attribute_options {
    ($(#[$doc:meta])* $table:ident $arguments:ident $rows:ident of $owner:literal {
        $($field:ident $name:literal: $how:ident $type:ty $(, $form:literal, $meaning:literal, $variables:literal)+;)*
    }
    habits $habits:expr;
    unnamed $unnamed:expr;) => {
        pub(crate) const $table: OptionTable = OptionTable {
            owner: $owner,
            options: &[$(($name, &[$($form),+])),*],
            habits: $habits,
            unnamed: $unnamed,
            attributes,
        };

        $(#[$doc])*
        pub(crate) struct $arguments {
            $(pub(crate) $field: Option<$type>,)*
        }

        impl $arguments {
            pub(crate) fn parse(written: Vec<OptionArgument>, errors: &mut Errors) -> Self {
                let mut options = Options::check(written, &$table, errors);
                Self { $($field: options.$how($name, errors)),* }
            }
        }

        /// The rows of the table in the documentation: form, meaning, and the variables that override it.
        #[cfg(test)]
        pub(crate) const $rows: &[[&str; 3]] = &[$($([$form, $meaning, $variables]),+),*];
    };
}

attribute_options! {
    /// The options of `#[span(…)]`.
    SPAN SpanOptions SPAN_ROWS of "`#[span]`" {
        computed_name "name": code Expr,
            "name(format!(\"{method} {route}\"))",
            "a name that is computed when the span starts, in place of the first argument; evaluated only if the span is \
             recorded, or if it starts a local trace and a sampling rule has to see the name", "";
        kind "kind": code Ident,
            "kind(server)",
            "`internal` (default), `server`, `client`, `producer` or `consumer`; on `server` and `client` the \
             [status of a response](#responses) decides whether the span failed", "";
        ok "ok": code ValueAttributes,
            "ok(|value| key = value)",
            "attributes from the success value: what is in an `Ok`, or any value that is no `Result`", "";
        err "err": code ValueAttributes,
            "err(|error| key = value)", "attributes from the error of an `Err` that is a failure", "";
        ret "ret": flag Ident,
            "ret", "the success value's `Debug` as the attribute `return`", "";
        error_if "error_if": code Expr,
            "error_if(|error| error.is_fatal())",
            "which `Err`s are failures; the others are not recorded at all", "";
        root "root": flag Ident,
            "root", "starts a trace of its own, linked to the span it was started in", "";
        parent "parent": code Expr,
            "parent(context)", "a parent in place of the current span: any [`ToContext`]", "";
        links "links": code Expr,
            "links([context])",
            "links to other spans, each any [`ToContext`]. A context that [`extract`](crate::extract) has read from a \
             carrier without a trace is no link", "";
        device "device": code Expr,
            "device(self.device)",
            "the span lasts until this [`Device`] has done the work that it is given: [below](#devices)", "";
        runtime "crate": code Path,
            "crate(path::to::spandrel)", "where this crate is, when it is renamed or re-exported", "";
    }
    habits &[
        ("name", "the span's name is the first argument; write `#[span(\"name\")]`"),
        ("err", "errors are recorded without an option; remove `err`"),
        (
            "skip",
            "nothing is recorded unless it is named; remove `skip`, which stands alone on a method \
             in an `impl` block that has `#[span]`",
        ),
        ("skip_all", "nothing is recorded unless it is named; remove `skip_all`"),
        ("fields", "attributes are arguments; write `key = value` without `fields`"),
        ("level", "spans have no level; remove `level`"),
        ("target", "a span's scope is its crate; remove `target`"),
        ("follows_from", "a span follows from others by links; write `links([context])`"),
    ];
    unnamed "nothing is recorded unless it is named: write `{key} = {value}`, or `#[record]` on a parameter";
}

attribute_options! {
    /// The options of `#[propagate(…)]`.
    PROPAGATE PropagateOptions PROPAGATE_ROWS of "`#[propagate]`" {
        extract "extract": code Expr,
            "extract(headers)",
            "the caller's context in this carrier is the parent; where there is none, the current context", "";
        inject "inject": code Expr,
            "inject(headers)",
            "this carrier gets the context of this function, its span if it has one, before the first statement", "";
        link "link": values Punctuated<Expr, Token![,]>,
            "link(message.headers())",
            "the contexts in these carriers are links of this function's span, not its parent: for batches, and for \
             work that waited. A slice, an array or a `Vec` of carriers is one link for each", "";
        baggage "baggage": values Punctuated<BaggageEntry, Token![,]>,
            "baggage(tenant.id = tenant)",
            "sets entries of the baggage, for this function and all it calls, here and where the context is sent; values \
             as in [`macro@span`]", "",
            "baggage(tenant.id)",
            "records entries as attributes of this function's span; those that are not there are left out", "";
        runtime "crate": code Path,
            "crate(path::to::spandrel)", "where this crate is, when it is renamed or re-exported", "";
    }
    habits &[];
    unnamed "";
}

attribute_options! {
    /// The options of `#[traced_app(…)]`.
    TRACED_APP AppOptions APP_ROWS of "`#[traced_app]`" {
        sample "sample": values Punctuated<SampleArgument, Token![,]>,
            "sample(0.1)",
            "the share of the traces starting here that is sampled; others follow their parent. Default: all",
            "`OTEL_SAMPLE_RATE`, `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`",
            "sample(consistent(0.1))",
            "the same, in a way that other services' ratios agree with",
            "`OTEL_SAMPLE_RATE` its ratio; `OTEL_TRACES_SAMPLER` takes its place",
            "sample(per_second(50))",
            "at most so many of the traces starting here are sampled in a second",
            "the same variables, whose ratio replaces it",
            "sample(0.1, \"GET /health\" = 0, \"checkout*\" = 1)",
            "rules: the first whose pattern matches the name of the span that starts a local trace decides about the local \
             trace: [below](#sampling)",
            "`SPANDREL_SAMPLE_RULES`";
        keep "keep": values Punctuated<OptionArgument, Token![,]>,
            "keep(errors, slower_than(\"2s\"))",
            "local traces that are not sampled and in which a span then fails, or is slow. A local trace has all spans \
             from its first one in this process on, those that start later in their contexts too. Another local trace of \
             the same trace stands for itself. What is held until that is known takes 16 MiB at most; the oldest traces \
             are evicted, and counted", "";
        batch "batch": values Punctuated<MetaNameValue, Token![,]>,
            "batch(queue = 8192, size = 1024, delay = \"2s\")", "how spans wait", "`OTEL_BSP_*`";
        grace "grace": value LitStr,
            "grace(\"5s\")",
            "how long the platform waits from SIGTERM to SIGKILL, which the last flush then keeps to. Default: not set",
            "`SPANDREL_GRACE`";
        flush "flush": value LitStr,
            "flush(\"4s\")", "how long the last flush may take. Default: 4 s", "`SPANDREL_FLUSH`";
        redact "redact": code Expr,
            "redact(function)",
            "this function sees key and value of each attribute before it is recorded, those of events, links and \
             exceptions too, and status descriptions; it keeps, replaces or removes them: [`Config::redact`]", "";
        baggage "baggage": values Punctuated<Key, Token![,]>,
            "baggage(tenant.id)", "entries of the baggage that are copied to every span", "";
        code "code": flag Ident,
            "code", "`code.function.name`, `code.file.path` and `code.line.number` on every span", "";
        headers "headers": code Expr,
            "headers(function)",
            "headers of each request to the collector, for tokens that expire: [`Config::headers`]",
            "";
        processor "processor": code Expr,
            "processor(MyProcessor::new())",
            "a span processor of OpenTelemetry's SDK that sees every span too; see \
             [below](#when-opentelemetrys-sdk-records)", "";
        logs "logs": flag Ident,
            "logs", "log lines with `trace_id` and `span_id` (feature `logs`)", "`RUST_LOG`";
        runtime "crate": code Path,
            "crate(path::to::spandrel)", "where this crate is, when it is renamed or re-exported", "";
    }
    habits &[("name", SERVICE), ("service", SERVICE)];
    unnamed "a resource attribute has a value: write `{key} = value`";
}

/// The options of `keep`.
pub(crate) const KEEP: OptionTable = OptionTable {
    owner: "`keep`",
    options: &[("errors", &["errors"]), ("slower_than", &["slower_than(\"2s\")"])],
    habits: &[],
    unnamed: "",
    attributes,
};

/// The options of `batch`.
pub(crate) const BATCH: OptionTable = OptionTable {
    owner: "`batch`",
    options: &[
        ("queue", &["queue = 8192"]),
        ("size", &["size = 1024"]),
        ("delay", &["delay = \"2s\""]),
    ],
    habits: &[],
    unnamed: "",
    attributes,
};

const SERVICE: &str =
    "the service's name is the first argument; write `#[traced_app(\"service\")]`";

/// The tables of the three attributes.
fn attributes() -> [&'static OptionTable; 3] {
    [&SPAN, &PROPAGATE, &TRACED_APP]
}
