//! Options as one table: unknown, duplicate and malformed ones are told here, for all macros.

use proc_macro2::Group;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, Path, Token};

use crate::diagnostics::{Errors, choices};

/// `root`, or `kind(server)`.
pub(crate) struct OptionArgument {
    pub(crate) name: Ident,
    pub(crate) arguments: Option<Group>,
}

impl Parse for OptionArgument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let arguments =
            if input.peek(syn::token::Paren) { input.parse::<Group>().map(Some)? } else { None };
        Ok(Self { name, arguments })
    }
}

/// The options of one attribute, each at most once and each a known one.
pub(crate) struct Options(Vec<OptionArgument>);

impl Options {
    pub(crate) fn check(written: Vec<OptionArgument>, known: &[&str], errors: &mut Errors) -> Self {
        let mut kept: Vec<OptionArgument> = Vec::new();
        for option in written {
            let name = option.name.to_string();
            if !known.contains(&name.as_str()) {
                let choices = choices(&name, "options", known);
                errors.add(&option.name, format!("unknown option `{name}`{choices}"));
            } else if kept.iter().any(|earlier| earlier.name == option.name) {
                errors.add(&option.name, format!("`{name}` is given twice; remove one"));
            } else {
                kept.push(option);
            }
        }
        Self(kept)
    }

    /// The option's argument: what is between its parentheses, as one `T`.
    pub(crate) fn value<T: Parse>(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<T> {
        self.parsed(name, example, T::parse, errors)
    }

    /// The option's arguments, with commas between.
    pub(crate) fn values<T: Parse>(
        &mut self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<Punctuated<T, Token![,]>> {
        let parser = |input: ParseStream<'_>| {
            let values = Punctuated::parse_terminated(input)?;
            if values.is_empty() {
                Err(syn::Error::new(input.span(), "nothing is given"))
            } else {
                Ok(values)
            }
        };
        self.parsed(name, example, parser, errors)
    }

    /// The option's own word, when it is given; it takes no value.
    pub(crate) fn flag(&mut self, name: &str, errors: &mut Errors) -> Option<Ident> {
        let index = self.0.iter().position(|option| option.name == name)?;
        let option = self.0.swap_remove(index);
        if option.arguments.is_some() {
            errors.add(&option.name, format!("`{name}` takes no value; write `{name}`"));
        }
        Some(option.name)
    }

    fn parsed<P: Parser>(
        &mut self,
        name: &str,
        example: &str,
        parser: P,
        errors: &mut Errors,
    ) -> Option<P::Output> {
        let index = self.0.iter().position(|option| option.name == name)?;
        let option = self.0.swap_remove(index);
        let Some(group) = option.arguments else {
            errors.add(&option.name, format!("`{name}` needs a value; write `{example}`"));
            return None;
        };
        let parsed = parser.parse2(group.stream());
        let parsed = parsed.map_err(|error| {
            let place = if group.stream().is_empty() { group.span() } else { error.span() };
            syn::Error::new(place, format!("{error}; write `{example}`"))
        });
        errors.ok(parsed)
    }

    /// `crate(path)`: where the runtime is, when it was renamed or re-exported.
    pub(crate) fn runtime(&mut self, errors: &mut Errors) -> Option<Path> {
        self.value("crate", "crate(path::to::spandrel)", errors)
    }
}

/// Where the runtime is, unless it is said.
pub(crate) fn default_runtime() -> Path {
    syn::parse_quote!(::spandrel)
}
