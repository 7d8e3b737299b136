//! What a `#[traced_app]` means: a configuration, and the place where it is installed.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, MetaNameValue, Path, ReturnType};

use super::args::Args;
use crate::diagnostics::{Errors, choices};
use crate::function::expand_blocks;
use crate::syntax::{Data, Function, ImplBlock, Member, Name};

pub(super) struct App {
    pub(super) config: Config,
    pub(super) place: Place,
}

pub(super) struct Config {
    pub(super) service: Name,
    pub(super) resource: Vec<Data>,
    /// Calls on the runtime's `Config`, one an option.
    pub(super) calls: Vec<TokenStream>,
    pub(super) runtime: Path,
}

pub(super) enum Place {
    /// `fn main`, what `#[tokio::main]` made of it, or `async fn main` with that below.
    Main(Box<Function>),
    Type(AppType),
}

/// An `impl` block: its tokens up to the braces, and its members in their order.
pub(super) struct AppType {
    pub(super) head: TokenStream,
    pub(super) members: Vec<AppMember>,
}

pub(super) enum AppMember {
    Setup(Box<Function>),
    Teardown(Box<Function>),
    Other(TokenStream),
}

impl App {
    /// `None` when there is a mistake; it is in `errors` then.
    pub(super) fn new(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let args = Args::parse(args, errors);
        let place = Place::new(item, &args.runtime, errors);
        let config = Config::new(args, errors);
        Some(Self { config: config?, place: place? })
    }
}

impl Config {
    fn new(args: Args, errors: &mut Errors) -> Option<Self> {
        let Args { service, resource, sample, batch, grace, flush, logs, runtime } = args;
        let Some(service) = service else {
            let message = "the service has no name; write `#[traced_app(\"service\")]`";
            errors.push(syn::Error::new(proc_macro2::Span::call_site(), message));
            return None;
        };
        let mut calls = Vec::new();
        if let Some(ratio) = sample {
            check_ratio(&ratio, errors);
            calls.push(quote!(.sample(#ratio)));
        }
        let batch: Vec<MetaNameValue> = batch.into_iter().flatten().collect();
        for (index, option) in batch.iter().enumerate() {
            if batch[..index]
                .iter()
                .any(|earlier| earlier.path.get_ident() == option.path.get_ident())
            {
                errors.add(&option.path, "this is given twice; remove one");
            }
            calls.extend(batch_call(option, errors));
        }
        calls.extend(deadlines(grace.as_ref(), flush.as_ref(), errors));
        calls.extend(logs.map(|logs| quote!(.#logs())));
        Some(Self { service, resource, calls, runtime })
    }
}

impl Place {
    fn new(item: TokenStream, runtime: &Path, errors: &mut Errors) -> Option<Self> {
        if let Ok(function) = syn::parse2::<Function>(item.clone()) {
            return Self::main(expand_blocks(function, runtime, errors), errors);
        }
        if ImplBlock::is_it(&item) {
            return AppType::new(item, runtime, errors).map(Self::Type);
        }
        let message = "`#[traced_app]` goes on `fn main`, or on an `impl` block with a `setup`";
        errors.push(syn::Error::new(proc_macro2::Span::call_site(), message));
        None
    }

    fn main(function: Function, errors: &mut Errors) -> Option<Self> {
        if function.sig.ident != "main" {
            let message = "`#[traced_app]` goes on `fn main`, or on an `impl` block with a \
                           `setup`; for another function, `#[span]` is meant";
            errors.add(&function.sig.ident, message);
            return None;
        }
        if let Some(asyncness) = &function.sig.asyncness
            && function.attrs.iter().all(is_built_in)
        {
            errors.add(asyncness, "an `async fn main` needs a runtime; add `#[tokio::main]`");
            return None;
        }
        Some(Self::Main(Box::new(function)))
    }
}

impl AppType {
    fn new(item: TokenStream, runtime: &Path, errors: &mut Errors) -> Option<Self> {
        let ImplBlock { head, members } = errors.ok(syn::parse2(item))?;
        let members = members.into_iter().map(|member| match member {
            Member::Function(function) => {
                AppMember::new(expand_blocks(*function, runtime, errors), errors)
            }
            Member::Other(tokens) => AppMember::Other(tokens),
        });
        let members: Vec<AppMember> = members.collect();
        if !members.iter().any(|member| matches!(member, AppMember::Setup(..))) {
            errors.add(
                head,
                "`#[traced_app]` needs a `setup` here, telemetry is up before its first line; \
                 write `fn setup() -> Self`, or put the attribute on `fn main`",
            );
            return None;
        }
        Some(Self { head, members })
    }
}

impl AppMember {
    fn new(function: Function, errors: &mut Errors) -> Self {
        let name = function.sig.ident.to_string();
        if name != "setup" && name != "teardown" {
            return Self::Other(function.into_token_stream());
        }
        check_untraced(&function, errors);
        if name == "teardown" {
            return Self::Teardown(Box::new(function));
        }
        if matches!(function.sig.output, ReturnType::Default) {
            errors.add(&function.sig.ident, "`setup` makes the app; return `Self` or a `Result`");
        }
        Self::Setup(Box::new(function))
    }
}

/// A span round `setup` would start before telemetry is up, one round `teardown` end after it.
fn check_untraced(function: &Function, errors: &mut Errors) {
    if let Some(attribute) = function.attribute("span") {
        let name = &function.sig.ident;
        let message = format!(
            "`{name}` cannot be a span, telemetry is not up all the while; put it on what \
             `{name}` calls"
        );
        errors.add(attribute, message);
    }
}

/// Attributes of the language; anything else may bring a runtime, or be a span.
pub(super) fn is_built_in(attribute: &Attribute) -> bool {
    let known = ["doc", "cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid", "inline"];
    known.iter().any(|word| attribute.path().is_ident(word))
}

fn check_ratio(ratio: &Expr, errors: &mut Errors) {
    let literal = match ratio {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse::<f64>().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            let message = format!("the sampling ratio is a float; write `sample({int}.0)`");
            errors.add(ratio, message);
            None
        }
        Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), .. }) => Some(-1.0),
        _ => None,
    };
    if literal.is_some_and(|literal| !(0.0..=1.0).contains(&literal)) {
        let given = ratio.to_token_stream();
        errors.add(ratio, format!("the sampling ratio is 0 to 1; {given} was given"));
    }
}

fn batch_call(option: &MetaNameValue, errors: &mut Errors) -> Option<TokenStream> {
    let value = &option.value;
    let name = option.path.get_ident().map(ToString::to_string).unwrap_or_default();
    match name.as_str() {
        "queue" => Some(quote!(.batch_queue(#value))),
        "size" => Some(quote!(.batch_size(#value))),
        "delay" => {
            let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value else {
                errors.add(value, "expected a duration; write `delay = \"2s\"`");
                return None;
            };
            let delay = duration(literal, errors).map(from_millis)?;
            Some(quote!(.batch_delay(#delay)))
        }
        unknown => {
            let choices = choices(unknown, "options", &["queue", "size", "delay"]);
            errors.add(&option.path, format!("unknown option `{unknown}`{choices}"));
            None
        }
    }
}

fn deadlines(
    grace: Option<&LitStr>,
    flush: Option<&LitStr>,
    errors: &mut Errors,
) -> Vec<TokenStream> {
    let [grace_time, flush_time] =
        [grace, flush].map(|literal| literal.and_then(|literal| duration(literal, errors)));
    let (grace_or, flush_or) = (grace_time.unwrap_or(5000), flush_time.unwrap_or(4000));
    if let (true, Some(literal)) = (flush_or > grace_or, flush.or(grace)) {
        let message = format!(
            "the flush of {flush_or} ms does not fit the grace period of {grace_or} ms; \
             make `flush` shorter or `grace` longer"
        );
        errors.add(literal, message);
    }
    let grace = grace_time.map(from_millis).map(|grace| quote!(.grace(#grace)));
    let flush = flush_time.map(from_millis).map(|flush| quote!(.flush(#flush)));
    grace.into_iter().chain(flush).collect()
}

/// `"2s"`, `"500ms"` or `"1m"`, in milliseconds.
fn duration(literal: &LitStr, errors: &mut Errors) -> Option<u64> {
    let text = literal.value();
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        _ => None,
    };
    let millis = unit
        .zip(digits.parse::<u64>().ok())
        .and_then(|(unit, count)| count.checked_mul(unit))
        .filter(|millis| *millis > 0);
    if millis.is_none() {
        let message = format!("`{text}` is not a duration; write \"500ms\", \"2s\" or \"1m\"");
        errors.add(literal, message);
    }
    millis
}

fn from_millis(millis: u64) -> TokenStream {
    quote!(::core::time::Duration::from_millis(#millis))
}
