//! What a `#[span]` means: always legal, so that `expand` cannot fail.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Path};

use super::args::Args;
use crate::diagnostics::{Errors, choices};
use crate::syntax::{Body, Data, Function, Name};

const KINDS: [(&str, &str); 5] = [
    ("internal", "Internal"),
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
];

pub(crate) struct Span {
    pub(super) name: TokenStream,
    pub(super) kind: Ident,
    pub(super) attributes: Vec<Data>,
    pub(super) body: Body,
    pub(super) runtime: Path,
}

impl Span {
    /// `None` when there is a mistake; it is in `errors` then.
    pub(crate) fn new(
        tokens: TokenStream,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let args = Args::parse(tokens, errors);
        let kind = kind(args.kind, errors);
        let body = Body::of(function, errors);
        let name = match args.name {
            Some(Name::Literal(literal)) => literal.into_token_stream(),
            Some(Name::Constant(path)) => path.into_token_stream(),
            None => {
                let ident = &function.sig.ident;
                LitStr::new(&ident.unraw().to_string(), ident.span()).into_token_stream()
            }
        };
        Some(Self {
            name,
            kind: kind?,
            attributes: args.attributes,
            body: body?,
            runtime: args.runtime,
        })
    }
}

fn kind(written: Option<Ident>, errors: &mut Errors) -> Option<Ident> {
    let Some(written) = written else {
        return Some(Ident::new("Internal", proc_macro2::Span::mixed_site()));
    };
    let name = written.to_string();
    let found = KINDS.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let choices = choices(&name, "kinds", &KINDS.map(|(known, _)| known));
        errors.add(&written, format!("unknown kind `{name}`{choices}"));
    }
    found.map(|(_, variant)| Ident::new(variant, written.span()))
}
