//! What was written in `#[propagate(…)]`.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, Ident, Path, Token};

use crate::diagnostics::{Errors, choices};

const OPTIONS: &[&str] = &["extract", "inject", "crate"];

#[derive(Default)]
pub(super) struct Args {
    pub(super) extract: Option<Expr>,
    pub(super) inject: Option<Expr>,
    pub(super) runtime: Option<Path>,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let written = errors.ok(parser.parse2(tokens)).unwrap_or_default();
        let mut args = Self::default();
        for expr in written {
            match option(&expr) {
                Some((name, value)) => args.set(name, value, errors),
                None => put(&mut args.extract, expr, "extract", errors),
            }
        }
        args
    }

    fn set(&mut self, name: &Ident, value: &Expr, errors: &mut Errors) {
        match name.to_string().as_str() {
            "extract" => put(&mut self.extract, value.clone(), "extract", errors),
            "inject" => put(&mut self.inject, value.clone(), "inject", errors),
            "crate" => {
                if let Expr::Path(path) = value {
                    put(&mut self.runtime, path.path.clone(), "crate", errors);
                } else {
                    errors.add(value, "expected a path; write `crate(path::to::spandrel)`");
                }
            }
            unknown => {
                let choices = choices(unknown, "options", OPTIONS);
                errors.add(name, format!("unknown option `{unknown}`{choices}"));
            }
        }
    }
}

/// `word(value)`; a call of anything but a word is a carrier.
fn option(expr: &Expr) -> Option<(&Ident, &Expr)> {
    let Expr::Call(ExprCall { func, args, .. }) = expr else {
        return None;
    };
    let Expr::Path(path) = &**func else {
        return None;
    };
    Some((path.path.get_ident()?, args.first()?))
}

fn put<T: quote::ToTokens>(slot: &mut Option<T>, value: T, name: &str, errors: &mut Errors) {
    if slot.is_some() {
        errors.add(value, format!("`{name}` is given twice; remove one"));
    } else {
        *slot = Some(value);
    }
}
