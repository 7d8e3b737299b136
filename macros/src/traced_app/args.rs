//! What was written in `#[traced_app(…)]`.

use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitStr, MetaNameValue, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{Arguments, Data, Key, Name, OptionArgument, Options, default_runtime};

const OPTIONS: &[&str] =
    &["sample", "keep", "batch", "grace", "flush", "baggage", "processor", "logs", "crate"];

pub(super) struct Args {
    pub(super) service: Option<Name>,
    pub(super) resource: Vec<Data>,
    pub(super) sample: Option<Expr>,
    pub(super) keep: Option<Punctuated<OptionArgument, Token![,]>>,
    pub(super) batch: Option<Punctuated<MetaNameValue, Token![,]>>,
    pub(super) grace: Option<LitStr>,
    pub(super) flush: Option<LitStr>,
    pub(super) baggage: Option<Punctuated<Key, Token![,]>>,
    pub(super) processor: Option<Expr>,
    pub(super) logs: Option<Ident>,
    pub(super) runtime: Path,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let Arguments { name, data, options } = Arguments::parse(tokens, errors);
        let mut options = Options::check(options, OPTIONS, errors);
        let batch = "batch(queue = 8192, size = 1024, delay = \"2s\")";
        Self {
            service: name,
            resource: data,
            sample: options.value("sample", "sample(0.1)", errors),
            keep: options.values("keep", "keep(errors, slower_than(\"2s\"))", errors),
            batch: options.values("batch", batch, errors),
            grace: options.value("grace", "grace(\"5s\")", errors),
            flush: options.value("flush", "flush(\"4s\")", errors),
            baggage: options.values("baggage", "baggage(tenant.id)", errors),
            processor: options.value("processor", "processor(MyProcessor::new())", errors),
            logs: options.flag("logs", errors),
            runtime: options.runtime(errors).unwrap_or_else(default_runtime),
        }
    }
}
