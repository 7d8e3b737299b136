//! The configuration that a `#[traced_app]` means: what it calls on the runtime's `Config`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, MetaNameValue, Path, Token};

use super::sampling::sampling;
use crate::diagnostics::Errors;
use crate::syntax::{AppOptions, BATCH, Data, KEEP, Name, OptionArgument, Options};

pub(super) struct Config {
    pub(super) service: Name,
    pub(super) groups: Vec<Expr>,
    pub(super) resource: Vec<Data>,
    /// Calls on the runtime's `Config`, one an option.
    pub(super) calls: Vec<TokenStream>,
    pub(super) runtime: Path,
}

impl Config {
    /// `None` when there is no name.
    pub(super) fn new(
        service: Option<Name>,
        (groups, resource): (Vec<Expr>, Vec<Data>),
        options: AppOptions,
        runtime: Path,
        errors: &mut Errors,
    ) -> Option<Self> {
        let AppOptions { sample, keep, batch, grace, flush, .. } = options;
        let AppOptions { redact, baggage, code, headers, processor, logs, .. } = options;
        let Some(service) = service else {
            let message = "the service has no name; write `#[traced_app(\"service\")]`";
            errors.push(syn::Error::new(proc_macro2::Span::call_site(), message));
            return None;
        };
        let mut calls = Vec::new();
        calls.extend(sample.map(|sample| sampling(sample, &runtime, errors)));
        calls.extend(keep.map(|keep| kept(keep, errors)));
        calls.extend(batch.map(|batch| batching(batch, errors)));
        calls.extend(deadlines(grace.as_ref(), flush.as_ref(), errors));
        calls.extend(redact.map(|function| quote!(.redact(#function))));
        calls.extend(baggage.map(|keys| {
            let keys = keys.into_iter().map(|key| key.name);
            quote!(.baggage([#(#keys),*]))
        }));
        calls.extend(code.map(|code| quote!(.#code())));
        calls.extend(headers.map(|function| quote!(.headers(#function))));
        calls.extend(processor.map(|processor| quote!(.processor(#processor))));
        calls.extend(logs.map(|logs| quote!(.#logs())));
        Some(Self { service, groups, resource, calls, runtime })
    }
}

fn kept(keep: Punctuated<OptionArgument, Token![,]>, errors: &mut Errors) -> TokenStream {
    let mut keep = Options::check(keep.into_iter().collect(), &KEEP, errors);
    let failed = keep.flag("errors", errors).map(|_| quote!(.keep_errors()));
    let slow: Option<LitStr> = keep.value("slower_than", errors);
    let slow = slow.and_then(|literal| duration(&literal, errors)).map(from_millis);
    let slow = slow.map(|duration| quote!(.keep_slower_than(#duration)));
    quote!(#failed #slow)
}

fn batching(batch: Punctuated<MetaNameValue, Token![,]>, errors: &mut Errors) -> TokenStream {
    let mut given = Vec::new();
    let calls = batch.into_iter().map(|MetaNameValue { path, value, .. }| {
        let name = path.to_token_stream().to_string();
        match BATCH.form(&name) {
            None => errors.add(path, BATCH.unknown(&name, None)),
            Some(_) if given.contains(&name) => {
                errors.add(path, BATCH.given_twice(&name));
            }
            Some(form) => {
                given.push(name.clone());
                return batch_call(&name, form, &value, errors);
            }
        }
        None
    });
    calls.flatten().collect()
}

fn batch_call(name: &str, form: &str, value: &Expr, errors: &mut Errors) -> Option<TokenStream> {
    let text = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Some(literal),
        _ => None,
    };
    match (name, text) {
        ("queue", None) => Some(quote!(.batch_queue(#value))),
        ("size", None) => Some(quote!(.batch_size(#value))),
        ("delay", Some(delay)) => {
            let delay = duration(delay, errors).map(from_millis)?;
            Some(quote!(.batch_delay(#delay)))
        }
        (_, text) => {
            let expected = if text.is_some() { "a number" } else { "a duration" };
            errors.add(value, format!("expected {expected}; write `{form}`"));
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
    if let (Some(grace), Some(time), Some(literal)) = (grace_time, flush_time, flush)
        && time > grace
    {
        let message = format!(
            "the flush of {time} ms does not fit the grace period of {grace} ms; \
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
