//! What `ok(…)` and `err(…)` take: `|value| key = expression, …`.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Pat, Token};

use super::arguments::{Arguments, Data};
use super::options::OptionArgument;
use super::table::OptionTable;
use crate::diagnostics::Errors;

/// For the data in `ok` and `err`, where no key is an option.
const DATA: OptionTable = OptionTable {
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

/// What is recorded of a value that matches the pattern.
pub(crate) struct RecordedValue {
    pub(crate) pattern: Pat,
    pub(crate) groups: Vec<Expr>,
    pub(crate) data: Vec<Data>,
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
    /// What `option` records.
    pub(crate) fn recorded(self, option: &str, errors: &mut Errors) -> RecordedValue {
        let Arguments { name, groups, data, options, .. } =
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
        RecordedValue { pattern: self.pattern, groups, data }
    }
}
