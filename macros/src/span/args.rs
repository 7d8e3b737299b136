//! What was written in `#[span(…)]`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Pat, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{Arguments, DATA, Data, Name, OptionArgument, Options, SPAN};

pub(super) struct Args {
    pub(super) name: Option<Name>,
    pub(super) attributes: Vec<Data>,
    pub(super) kind: Option<Ident>,
    pub(super) ok: Option<Success>,
    pub(super) ret: Option<Ident>,
    pub(super) error_if: Option<Expr>,
    pub(super) root: Option<Ident>,
    pub(super) parent: Option<Expr>,
    pub(super) links: Option<Expr>,
    pub(super) device: Option<Expr>,
    pub(super) runtime: Option<Path>,
}

/// `|value| key = expression, …`
pub(super) struct Success {
    pub(super) pattern: Pat,
    attributes: TokenStream,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let Arguments { name, data, options } = Arguments::parse(tokens, &SPAN, errors);
        let mut options = Options::check(options, &SPAN, errors);
        Self {
            name,
            attributes: data,
            kind: options.code("kind", errors),
            ok: options.code("ok", errors),
            ret: options.flag("ret", errors),
            error_if: options.code("error_if", errors),
            root: options.flag("root", errors),
            parent: options.code("parent", errors),
            links: options.code("links", errors),
            device: options.code("device", errors),
            runtime: options.runtime(errors),
        }
    }
}

impl Parse for Success {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        input.parse::<Token![|]>()?;
        let pattern = Pat::parse_single(input)?;
        input.parse::<Token![|]>()?;
        Ok(Self { pattern, attributes: input.parse()? })
    }
}

impl Success {
    pub(super) fn attributes(&self, errors: &mut Errors) -> Vec<Data> {
        let Arguments { name, data, options } =
            Arguments::parse(self.attributes.clone(), &DATA, errors);
        if let Some(name) = name {
            errors.add(name, "`ok` takes data only; write `key = value`");
        }
        for OptionArgument { name, arguments, rest } in options {
            let is_word = arguments.is_none() && rest.is_empty();
            let value = if is_word { format!("{name} = {name}") } else { "key = value".to_owned() };
            errors.add(name, format!("`ok` takes data only; write `{value}`"));
        }
        if self.attributes.is_empty() {
            errors.add(&self.pattern, "`ok` records nothing; write `ok(|value| key = value)`");
        }
        data
    }
}
