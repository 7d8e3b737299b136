//! What `ok(…)` takes: `|value| key = expression, …`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Pat, Token};

use super::arguments::{Arguments, Data};
use super::options::OptionArgument;
use super::table::Table;
use crate::diagnostics::Errors;

/// For the data in `ok`, where no key is an option.
const DATA: Table =
    Table { owner: "`ok`", options: &[], habits: &[], unnamed: "", attributes: || [&DATA; 3] };

/// `|value| key = expression, …`
pub(crate) struct Success {
    pub(crate) pattern: Pat,
    attributes: TokenStream,
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
    pub(crate) fn attributes(&self, errors: &mut Errors) -> Vec<Data> {
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
