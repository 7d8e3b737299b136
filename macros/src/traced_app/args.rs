//! What was written in `#[traced_app(…)]`.

use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitStr, MetaNameValue, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{
    Arguments, Data, Key, Name, OptionArgument, Options, TRACED_APP, default_runtime,
};

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
        let Arguments { name, data, options } = Arguments::parse(tokens, &TRACED_APP, errors);
        let mut options = Options::check(options, &TRACED_APP, errors);
        Self {
            service: name,
            resource: data,
            sample: options.code("sample", errors),
            keep: options.values("keep", errors),
            batch: options.values("batch", errors),
            grace: options.value("grace", errors),
            flush: options.value("flush", errors),
            baggage: options.values("baggage", errors),
            processor: options.code("processor", errors),
            logs: options.flag("logs", errors),
            runtime: options.runtime(errors).unwrap_or_else(default_runtime),
        }
    }
}
