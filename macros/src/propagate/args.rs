//! What was written in `#[propagate(…)]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{OptionArgument, Options};

const OPTIONS: &[&str] = &["extract", "inject", "crate"];

pub(super) struct Args {
    pub(super) extract: Option<Expr>,
    pub(super) inject: Option<Expr>,
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
        Self {
            extract,
            inject: options.value("inject", "inject(headers)", errors),
            runtime: options.runtime(errors),
            mistaken,
        }
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
