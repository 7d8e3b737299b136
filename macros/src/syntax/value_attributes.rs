//! What `ok(…)` and `err(…)` take: `|value| key = expression, …`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Pat, Token};

use super::arguments::{Arguments, Data};
use super::options::OptionArgument;
use super::table::Table;
use crate::diagnostics::Errors;

/// For the data in `ok` and `err`, where no key is an option.
const DATA: Table = Table {
    owner: "`ok` and `err`",
    options: &[],
    habits: &[],
    unnamed: "",
    attributes: || [&DATA; 3],
};

/// `|value| key = expression, …`
pub(crate) struct ValueAttributes {
    pub(crate) pattern: Pat,
    attributes: TokenStream,
}

impl Parse for ValueAttributes {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        input.parse::<Token![|]>()?;
        let pattern = Pat::parse_single(input)?;
        input.parse::<Token![|]>()?;
        Ok(Self { pattern, attributes: input.parse()? })
    }
}

impl ValueAttributes {
    /// The attributes that `option` records.
    pub(crate) fn attributes(&self, option: &str, errors: &mut Errors) -> Vec<Data> {
        let Arguments { name, data, options } =
            Arguments::parse(self.attributes.clone(), &DATA, errors);
        if let Some(name) = name {
            errors.add(name, format!("`{option}` takes data only; write `key = value`"));
        }
        for OptionArgument { name, arguments, rest } in options {
            let is_word = arguments.is_none() && rest.is_empty();
            let value = if is_word { format!("{name} = {name}") } else { "key = value".to_owned() };
            errors.add(name, format!("`{option}` takes data only; write `{value}`"));
        }
        if self.attributes.is_empty() {
            let message =
                format!("`{option}` records nothing; write `{option}(|value| key = value)`");
            errors.add(&self.pattern, message);
        }
        data
    }
}
