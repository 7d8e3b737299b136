//! What `sample(…)` of `#[traced_app]` takes.

use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Token};

/// An argument of `sample`.
pub(crate) enum SampleArgument {
    /// `0.1`, `consistent(0.1)` or `per_second(50)`.
    Rate(Expr),
    /// `"GET /health" = 0`.
    Rule(LitStr, Expr),
}

impl Parse for SampleArgument {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if !(input.peek(LitStr) && input.peek2(Token![=])) {
            return input.parse().map(Self::Rate);
        }
        let pattern = input.parse()?;
        let _: Token![=] = input.parse()?;
        input.parse().map(|rate| Self::Rule(pattern, rate))
    }
}
