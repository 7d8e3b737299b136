//! What was written in `#[propagate(…)]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{Data, Key, OptionArgument, Options, PROPAGATE, each};

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
        let mistaken = !tokens.is_empty();
        let (mut carriers, mut options) = (Vec::new(), Vec::new());
        each(tokens, errors, |input, _| argument(input, &mut carriers, &mut options));
        let mut options = Options::check(options, &PROPAGATE, errors);
        let mut extract = options.code("extract", errors);
        for carrier in carriers {
            if extract.is_some() {
                errors.add(carrier, "a second carrier to extract from; remove one");
            } else {
                extract = Some(carrier);
            }
        }
        let links = options.values("link", errors);
        let entries = options.values::<Entry>("baggage", errors);
        let (mut baggage, mut recorded) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().flatten() {
            entry.check(errors);
            match entry {
                Entry::Set(data) => {
                    data.check_key(&baggage, errors);
                    baggage.push(*data);
                }
                Entry::Record(key) => recorded.push(key),
            }
        }
        Self {
            extract,
            inject: options.code("inject", errors),
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
    Set(Box<Data>),
    Record(Key),
}

impl Entry {
    /// A key is a token of HTTP: no header can hold another one.
    fn check(&self, errors: &mut Errors) {
        let key = match self {
            Self::Set(data) => &data.key,
            Self::Record(key) => key,
        };
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
            return Data::parse(input).map(|data| Self::Set(Box::new(data)));
        }
        Key::parse(input).map(Self::Record)
    }
}

/// Options are `word(…)`; anything else is a carrier.
fn argument(
    input: ParseStream,
    carriers: &mut Vec<Expr>,
    options: &mut Vec<OptionArgument>,
) -> syn::Result<()> {
    if Data::is_next(input) {
        return Err(data(&input.parse()?));
    }
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        let form = PROPAGATE.quoted(&literal.value()).unwrap_or("headers");
        return Err(syn::Error::new(literal.span(), format!("this is not quoted; write `{form}`")));
    }
    let ahead = input.fork();
    let Ok(option) = ahead.parse::<OptionArgument>() else {
        carriers.push(input.parse()?);
        return Ok(());
    };
    let known = PROPAGATE.form(&option.name.to_string()).is_some();
    let is_option = option.arguments.is_some() && (ahead.is_empty() || ahead.peek(Token![,]));
    let is_place = match option.rest.clone().into_iter().next() {
        None => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '.',
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Bracket,
        Some(_) => false,
    };
    if is_option || known && !is_place {
        input.advance_to(&ahead);
        options.push(option);
    } else {
        carriers.push(input.parse()?);
    }
    Ok(())
}

/// The mistake of data where there is none.
fn data(key: &Key) -> syn::Error {
    let Key { name, tokens, .. } = key;
    let message = match PROPAGATE.form(name) {
        Some(form) => format!("`{name}` is an option; write `{form}`"),
        None => {
            format!("`#[propagate]` takes no data; write `baggage({name} = …)` to send it along")
        }
    };
    syn::Error::new_spanned(tokens, message)
}
