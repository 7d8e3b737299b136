//! What was written in `#[propagate(…)]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Ident, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{Data, Key, OptionArgument, Options};

const OPTIONS: &[&str] = &["extract", "inject", "link", "baggage", "crate"];

pub(super) struct Args {
    pub(super) extract: Option<Expr>,
    pub(super) inject: Option<Expr>,
    pub(super) links: Vec<Expr>,
    /// What is set.
    pub(super) baggage: Vec<Data>,
    /// What is recorded.
    pub(super) recorded: Vec<Key>,
    pub(super) runtime: Option<Path>,
    /// Whether something was written that may have been meant as a carrier.
    pub(super) mistaken: bool,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let parsed = errors.ok(arguments.parse2(tokens));
        let mistaken = parsed.is_none();
        let (carriers, options) = parsed.unwrap_or_default();
        let mistaken = mistaken || !options.is_empty();
        let mut options = Options::check(options, OPTIONS, errors);
        let mut extract = options.value("extract", "extract(headers)", errors);
        for carrier in carriers {
            if extract.is_some() {
                errors.add(carrier, "a second carrier to extract from; remove one");
            } else {
                extract = Some(carrier);
            }
        }
        let links = options.values("link", "link(message.headers())", errors);
        let example = "baggage(tenant.id = tenant)` or `baggage(tenant.id)";
        let entries = options.values::<Entry>("baggage", example, errors);
        let (mut baggage, mut recorded) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().flatten() {
            entry.check(errors);
            match entry {
                Entry::Set(data) => {
                    data.check_key(&baggage, errors);
                    baggage.push(data);
                }
                Entry::Record(key) => recorded.push(key),
            }
        }
        Self {
            extract,
            inject: options.value("inject", "inject(headers)", errors),
            links: links.into_iter().flatten().collect(),
            baggage,
            recorded,
            runtime: options.runtime(errors),
            mistaken,
        }
    }
}

/// An entry of the baggage: `key = value` is set, and `key` recorded.
enum Entry {
    Set(Data),
    Record(Key),
}

impl Entry {
    /// A key is a token of HTTP: no header can hold another one.
    fn check(&self, errors: &mut Errors) {
        let (Self::Set(Data { key, .. }) | Self::Record(key)) = self;
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if key.name.is_empty() || !key.name.chars().all(token) {
            let message = format!(
                "`{}` is no key of baggage; write letters, digits and `!#$%&'*+-.^_|~` only",
                key.name
            );
            errors.add(&key.tokens, message);
        }
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if Data::is_next(input) {
            return Data::parse(input).map(Self::Set);
        }
        Key::parse(input).map(Self::Record)
    }
}

/// Options are `word(…)`; anything else is a carrier.
fn arguments(input: ParseStream) -> syn::Result<(Vec<Expr>, Vec<OptionArgument>)> {
    let (mut carriers, mut options) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let ahead = input.fork();
        if ahead.peek(Ident::peek_any)
            && let Ok(option) = ahead.parse::<OptionArgument>()
            && option.arguments.is_some()
            && (ahead.is_empty() || ahead.peek(Token![,]))
        {
            input.advance_to(&ahead);
            options.push(option);
        } else {
            carriers.push(input.parse()?);
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok((carriers, options))
}
