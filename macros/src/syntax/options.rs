//! Options by their tables: unknown, duplicate and malformed ones are reported here, for all macros.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, Token};

use super::table::OptionTable;
use crate::diagnostics::Errors;

/// `root`, or `kind(server)`.
pub(crate) struct OptionArgument {
    pub(crate) name: Ident,
    pub(crate) arguments: Option<Group>,
    /// What is written between a word without parentheses and the next comma, by mistake.
    pub(crate) rest: TokenStream,
}

impl Parse for OptionArgument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        if input.peek(syn::token::Paren) {
            let arguments = input.parse().map(Some)?;
            return Ok(Self { name, arguments, rest: TokenStream::new() });
        }
        Ok(Self { name, arguments: None, rest: up_to_comma(input) })
    }
}

impl OptionArgument {
    /// The message about an option that the table does not have.
    fn unknown(&self, table: &OptionTable) -> String {
        let Self { name, arguments, rest } = self;
        let word = name.to_string();
        let key = rest.clone().into_iter().last().map_or(word.clone(), |last| last.to_string());
        let is_place = rest.clone().into_iter().all(|tree| match tree {
            TokenTree::Punct(punct) => punct.as_char() == '.',
            other => matches!(other, TokenTree::Ident(_)),
        });
        let value = format!("{word}{rest}").replace(' ', "");
        let is_value = arguments.is_none() && is_place;
        table.unknown(&word, is_value.then_some((&*key, &*value)))
    }

    /// Says so when a word that takes parentheses is followed by something else.
    fn check_rest(&self, form: &str, errors: &mut Errors) -> bool {
        let Some(first) = self.rest.clone().into_iter().next() else {
            return true;
        };
        let name = &self.name;
        let message = if *name == form {
            format!("`{name}` takes no value; write `{name}`, and a comma before what follows")
        } else {
            format!("`{name}` takes parentheses; write `{form}`")
        };
        errors.add(first, message);
        false
    }
}

/// The options of one attribute, each at most once and each a known one.
pub(crate) struct Options {
    table: &'static OptionTable,
    written: Vec<OptionArgument>,
}

impl Options {
    pub(crate) fn check(
        written: Vec<OptionArgument>,
        table: &'static OptionTable,
        errors: &mut Errors,
    ) -> Self {
        let mut kept: Vec<OptionArgument> = Vec::new();
        for option in written {
            let name = option.name.to_string();
            let Some(form) = table.form(&name) else {
                errors.add(&option.name, option.unknown(table));
                continue;
            };
            if kept.iter().any(|earlier| earlier.name == option.name) {
                errors.add(&option.name, table.given_twice(&name));
            } else if option.check_rest(form, errors) {
                kept.push(option);
            }
        }
        Self { table, written: kept }
    }

    /// The option's argument: what is between its parentheses, as one `T`.
    pub(crate) fn value<T: Parse>(&mut self, name: &str, errors: &mut Errors) -> Option<T> {
        self.parsed(name, T::parse, errors)
    }

    /// The option's argument, which is code: text in quotes is a mistake.
    pub(crate) fn code<T: Parse>(&mut self, name: &str, errors: &mut Errors) -> Option<T> {
        let parser = |input: ParseStream<'_>| {
            if input.peek(LitStr) && input.peek2(syn::parse::End) {
                let wrong = match name {
                    "name" => "a literal name is the first argument, without `name`",
                    _ => "this is not quoted",
                };
                Err(input.error(wrong))
            } else {
                input.parse()
            }
        };
        self.parsed(name, parser, errors)
    }

    /// The option's arguments, with commas between.
    pub(crate) fn values<T: Parse>(
        &mut self,
        name: &str,
        errors: &mut Errors,
    ) -> Option<Punctuated<T, Token![,]>> {
        self.parsed(name, Punctuated::parse_terminated, errors)
    }

    /// The option's own word, when it is given; it takes no value.
    pub(crate) fn flag(&mut self, name: &str, errors: &mut Errors) -> Option<Ident> {
        let option = self.take(name)?;
        if option.arguments.is_some() {
            errors.add(&option.name, format!("`{name}` takes no value; write `{name}`"));
        }
        Some(option.name)
    }

    fn parsed<P: Parser>(
        &mut self,
        name: &str,
        parser: P,
        errors: &mut Errors,
    ) -> Option<P::Output> {
        let option = self.take(name)?;
        let form = self.table.form(name)?;
        let group = option.arguments.filter(|group| !group.stream().is_empty());
        let Some(group) = group else {
            errors.add(&option.name, self.table.without_value(name, form));
            return None;
        };
        let parsed = parser.parse2(group.stream());
        errors.ok(parsed
            .map_err(|error| syn::Error::new(error.span(), format!("{error}; write `{form}`"))))
    }

    fn take(&mut self, name: &str) -> Option<OptionArgument> {
        let index = self.written.iter().position(|option| option.name == name)?;
        Some(self.written.swap_remove(index))
    }
}

/// Where the runtime is, unless it is said.
pub(crate) fn default_runtime() -> Path {
    syn::parse_quote!(::spandrel)
}

/// What comes before the next comma.
pub(super) fn up_to_comma(input: ParseStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend(input.parse::<TokenTree>().ok());
    }
    tokens
}
