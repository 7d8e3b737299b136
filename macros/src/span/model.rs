//! What a `#[span]` means: always legal, so that `expand` cannot fail.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use crate::diagnostics::{Errors, choices};
use crate::syntax::{Arguments, Data, Name, RecordedValue, SPAN, SpanOptions};

const KINDS: [(&str, &str); 5] = [
    ("internal", "Internal"),
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
];

pub(crate) struct Span {
    pub(super) name: Name,
    /// The line of the function's name, or of the block's.
    pub(super) line: usize,
    pub(super) computed_name: Option<Expr>,
    pub(super) kind: Ident,
    pub(super) parent: Option<Expr>,
    pub(super) root: bool,
    pub(super) links: Option<Expr>,
    pub(super) device: Option<Expr>,
    pub(super) groups: Vec<Expr>,
    pub(super) attributes: Vec<Data>,
    pub(super) success: Option<RecordedValue>,
    pub(super) error: Option<RecordedValue>,
    pub(super) ret: Option<Ident>,
    pub(crate) error_if: Option<Expr>,
    pub(crate) runtime: Path,
}

impl Span {
    /// `None` when there is a mistake; it is in `errors` then.
    pub(crate) fn new(
        tokens: TokenStream,
        default_name: syn::Result<Name>,
        default_runtime: &Path,
        errors: &mut Errors,
    ) -> Option<Self> {
        let Arguments { name, mistaken_name, groups, data, options } =
            Arguments::parse(tokens, &SPAN, errors);
        let SpanOptions {
            computed_name,
            kind,
            ok,
            err,
            ret,
            error_if,
            root,
            parent,
            links,
            device,
            runtime,
        } = SpanOptions::parse(options, errors);
        let kind = kind_variant(kind, errors);
        if let (Some(name), Some(_), false) = (&name, &computed_name, mistaken_name) {
            errors.add(name, "there are two names; remove this one or `name(…)`");
        }
        let place = default_name.as_ref().ok().or(name.as_ref()).map(Name::span);
        let place = place.unwrap_or_else(proc_macro2::Span::call_site);
        let name = match (name, default_name, &computed_name) {
            (Some(name), ..) | (None, Ok(name), _) => Some(name),
            (None, Err(_), Some(computed)) => Some(Name::of_block(computed.span())),
            (None, Err(error), None) => errors.ok(Err(error)),
        };
        if let (Some(root), Some(_)) = (&root, &parent) {
            errors.add(root, "a root has no parent; remove `root` or `parent`");
        }
        let success = ok.map(|ok| ok.recorded("ok", errors));
        let error = err.map(|err| err.recorded("err", errors));
        Some(Self {
            name: name?,
            line: place.start().line,
            computed_name,
            kind: kind?,
            parent,
            root: root.is_some(),
            links,
            device,
            groups,
            attributes: data,
            success,
            error,
            ret,
            error_if,
            runtime: runtime.unwrap_or_else(|| default_runtime.clone()),
        })
    }

    /// Adds what `#[record]` on the parameters names.
    pub(crate) fn record(&mut self, parameters: Vec<Data>, errors: &mut Errors) {
        for data in parameters {
            data.check_key(&self.attributes, errors);
            self.attributes.push(data);
        }
    }

    /// Says so when there would be two parents.
    pub(crate) fn check_parent(&self, extracts: bool, errors: &mut Errors) {
        if let (Some(parent), true) = (&self.parent, extracts) {
            errors.add(parent, "`#[propagate]` extracts the parent already; remove one of the two");
        }
    }

    /// Whether it is under a context that is given.
    pub(crate) fn has_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// Whether it records something of the value.
    pub(crate) fn records_value(&self) -> bool {
        self.success.is_some() || self.error.is_some() || self.ret.is_some()
    }

    /// Whether the status of a response decides if the span failed.
    pub(super) fn is_of_request(&self) -> bool {
        self.kind == "Server" || self.kind == "Client"
    }

    /// Where it looks at the error of a `Result`, if it does.
    pub(crate) fn looks_at_error(&self) -> Option<TokenStream> {
        let error_if = self.error_if.as_ref().map(ToTokens::to_token_stream);
        error_if.or_else(|| self.error.as_ref().map(|error| error.pattern.to_token_stream()))
    }
}

fn kind_variant(written: Option<Ident>, errors: &mut Errors) -> Option<Ident> {
    let Some(written) = written else {
        return Some(Ident::new("Internal", proc_macro2::Span::mixed_site()));
    };
    let name = written.unraw().to_string();
    let found = KINDS.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let choices = choices(&name, "kinds", &KINDS.map(|(known, _)| known));
        errors.add(&written, format!("unknown kind `{name}`{choices}"));
    }
    found.map(|(_, variant)| Ident::new(variant, written.span()))
}
