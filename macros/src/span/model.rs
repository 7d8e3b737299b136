//! What a `#[span]` means: always legal, so that `expand` cannot fail.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Path};

use super::args::Args;
use crate::diagnostics::{Errors, choices};
use crate::syntax::{Data, Function, Name};

const KINDS: [(&str, &str); 5] = [
    ("internal", "Internal"),
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
];

pub(crate) struct Span {
    pub(super) name: Name,
    pub(super) kind: Ident,
    pub(super) attributes: Vec<Data>,
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
        let name = args.name.unwrap_or_else(|| {
            let ident = &function.sig.ident;
            Name::Literal(LitStr::new(&ident.unraw().to_string(), ident.span()))
        });
        Some(Self { name, kind: kind?, attributes: args.attributes, runtime: args.runtime })
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
