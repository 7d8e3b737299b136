//! What was written in `#[propagate(…)]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Expr, LitStr, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{BaggageEntry, Data, Key, OptionArgument, PROPAGATE, PropagateOptions, each};

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
        let options = PropagateOptions::parse(options, errors);
        let PropagateOptions { mut extract, inject, link, baggage: entries, runtime } = options;
        for carrier in carriers {
            if extract.is_some() {
                errors.add(carrier, "a second carrier to extract from; remove one");
            } else {
                extract = Some(carrier);
            }
        }
        let (mut baggage, mut recorded) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().flatten() {
            entry.check(errors);
            match entry {
                BaggageEntry::Set(data) => {
                    data.check_key(&baggage, errors);
                    baggage.push(*data);
                }
                BaggageEntry::Record(key) => recorded.push(key),
            }
        }
        Self {
            extract,
            inject,
            links: link.into_iter().flatten().collect(),
            baggage,
            recorded,
            runtime,
            mistaken,
        }
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
