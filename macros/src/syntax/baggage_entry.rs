//! What `baggage(…)` of `#[propagate]` takes.

use syn::parse::{Parse, ParseStream};

use super::arguments::{Data, Key};
use crate::diagnostics::Errors;

/// An entry of the baggage: `key = value` is set, and `key` recorded.
pub(crate) enum BaggageEntry {
    Set(Box<Data>),
    Record(Key),
}

impl BaggageEntry {
    /// A key is a token of HTTP: no header can hold another one.
    pub(crate) fn check(&self, errors: &mut Errors) {
        let key = match self {
            Self::Set(data) => &data.key,
            Self::Record(key) => key,
        };
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if key.name.is_empty() || !key.name.chars().all(token) {
            let message = format!(
                "`{}` is no key of baggage; write letters, digits and `!#$%&'*+-.^_|~` only",
                key.name
            );
            errors.add(&key.tokens, message);
        }
    }
}

impl Parse for BaggageEntry {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if Data::is_next(input) {
            return Data::parse(input).map(|data| Self::Set(Box::new(data)));
        }
        Key::parse(input).map(Self::Record)
    }
}
