//! What was written in `#[span(…)]`.

use proc_macro2::TokenStream;
use syn::{Ident, Path};

use crate::diagnostics::Errors;
use crate::syntax::{Arguments, Data, Name, Options};

const OPTIONS: &[&str] = &["kind", "crate"];

pub(super) struct Args {
    pub(super) name: Option<Name>,
    pub(super) attributes: Vec<Data>,
    pub(super) kind: Option<Ident>,
    pub(super) runtime: Path,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let Arguments { name, data, options } = Arguments::parse(tokens, errors);
        let mut options = Options::check(options, OPTIONS, errors);
        Self {
            name,
            attributes: data,
            kind: options.value("kind", "kind(server)", errors),
            runtime: options.runtime(errors),
        }
    }
}
