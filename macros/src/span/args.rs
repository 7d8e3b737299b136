//! What was written in `#[span(…)]`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Pat, Path, Token};

use crate::diagnostics::Errors;
use crate::syntax::{Arguments, Data, Name, Options};

const OPTIONS: &[&str] =
    &["kind", "ok", "ret", "error_if", "root", "parent", "links", "device", "crate"];

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
        let Arguments { name, data, mut options } = Arguments::parse(tokens, errors);
        options.retain(|option| {
            let misplaced = option.name == "skip";
            if misplaced {
                let message = "`skip` stands alone, on a method in an `impl` block that has \
                               `#[span]`; elsewhere remove the attribute";
                errors.add(&option.name, message);
            }
            !misplaced
        });
        let mut options = Options::check(options, OPTIONS, errors);
        Self {
            name,
            attributes: data,
            kind: options.value("kind", "kind(server)", errors),
            ok: options.value("ok", "ok(|value| key = value)", errors),
            ret: options.flag("ret", errors),
            error_if: options.value("error_if", "error_if(|error| error.is_fatal())", errors),
            root: options.flag("root", errors),
            parent: options.value("parent", "parent(context)", errors),
            links: options.value("links", "links(contexts)", errors),
            device: options.value("device", "device(self.device)", errors),
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
        let Arguments { name, data, options } = Arguments::parse(self.attributes.clone(), errors);
        let name = name.map(|name| quote::quote!(#name));
        let stray = options.iter().map(|option| &option.name).map(|name| quote::quote!(#name));
        for stray in name.into_iter().chain(stray) {
            errors.add(stray, "`ok` takes data only; write `key = value`");
        }
        if data.is_empty() {
            errors.add(&self.pattern, "`ok` records nothing; write `ok(|value| key = value)`");
        }
        data
    }
}
