//! The grammar of all three attributes: what has `=` is data, what is a bare word or has
//! parentheses is an option; a literal or a constant at the start is the name.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprPath, Ident, LitStr, Token};

use super::OptionArgument;
use crate::diagnostics::Errors;

/// Everything written between the parentheses of an attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<Name>,
    pub(crate) data: Vec<Data>,
    pub(crate) options: Vec<OptionArgument>,
}

/// A name: a string literal, or a constant's path.
pub(crate) enum Name {
    Literal(LitStr),
    Constant(ExprPath),
}

/// `key = value`, `key = %value` or `key = ?value`.
pub(crate) struct Data {
    pub(crate) key: Key,
    pub(crate) capture: Capture,
    pub(crate) value: Expr,
}

/// `model.name` or `"model.name"`, with the tokens it was written with.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) tokens: TokenStream,
}

/// How a value becomes an attribute: by its type, its `Display` or its `Debug`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Capture {
    Typed,
    Display,
    Debug,
}

impl Arguments {
    /// Reads what can be read; each argument that cannot is a mistake of its own.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let parse = |input: ParseStream| {
            let mut arguments = Self::default();
            let mut first = true;
            while !input.is_empty() {
                if let Err(error) = arguments.parse_one(input, first) {
                    errors.push(error);
                    skip_to_comma(input);
                }
                first = false;
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    errors.push(input.error("expected `,` between arguments"));
                    skip_to_comma(input);
                    let _ = input.parse::<Token![,]>();
                }
            }
            Ok(arguments)
        };
        let arguments = parse.parse2(tokens).unwrap_or_default();
        for (index, data) in arguments.data.iter().enumerate() {
            data.check_key(&arguments.data[..index], errors);
        }
        arguments
    }

    fn parse_one(&mut self, input: ParseStream, first: bool) -> syn::Result<()> {
        if first && let Some(name) = Name::parse(input)? {
            self.name = Some(name);
        } else if Data::is_next(input) {
            self.data.push(Data::parse(input)?);
        } else if input.peek(Ident::peek_any) {
            self.options.push(input.parse()?);
        } else {
            return Err(input.error("expected `key = value` or an option"));
        }
        Ok(())
    }
}

impl Name {
    /// The name, if one comes first.
    pub(crate) fn parse(input: ParseStream) -> syn::Result<Option<Self>> {
        if Data::is_next(input) {
            return Ok(None);
        }
        if input.peek(LitStr) {
            let literal: LitStr = input.parse()?;
            if literal.value().trim().is_empty() {
                return Err(syn::Error::new(literal.span(), "the name is empty; name it"));
            }
            return Ok(Some(Self::Literal(literal)));
        }
        if is_constant(&input.fork()) {
            return Ok(Some(Self::Constant(input.parse()?)));
        }
        Ok(None)
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(literal) => literal.to_tokens(tokens),
            Self::Constant(path) => path.to_tokens(tokens),
        }
    }
}

/// A path of several segments, or one word in capitals: no option looks like that.
fn is_constant(input: ParseStream) -> bool {
    let Ok(path) = input.parse::<ExprPath>() else {
        return false;
    };
    path.path.get_ident().is_none_or(|ident| {
        let name = ident.to_string();
        name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
    }) && !input.peek(syn::token::Paren)
}

impl Data {
    /// Whether a key with `=` after it comes next. Nothing is consumed.
    pub(crate) fn is_next(input: ParseStream) -> bool {
        let ahead = input.fork();
        Key::parse(&ahead).is_ok() && ahead.peek(Token![=]) && !ahead.peek(Token![==])
    }

    pub(crate) fn parse(input: ParseStream) -> syn::Result<Self> {
        let key = Key::parse(input)?;
        if key.name.trim().is_empty() {
            return Err(syn::Error::new_spanned(key.tokens, "the key is empty; name it"));
        }
        input.parse::<Token![=]>()?;
        let capture = input.call(Capture::parse)?;
        if input.is_empty() || input.peek(Token![,]) {
            let message = format!("`{0}` has no value; write `{0} = value`", key.name);
            return Err(syn::Error::new_spanned(key.tokens, message));
        }
        Ok(Self { key, capture, value: input.parse()? })
    }

    /// Says so when a key is given for the second time.
    pub(crate) fn check_key(&self, earlier: &[Self], errors: &mut Errors) {
        let Key { name, tokens } = &self.key;
        if earlier.iter().any(|earlier| earlier.key.name == *name) {
            errors.add(tokens, format!("`{name}` is given twice; remove one"));
        }
    }
}

impl Capture {
    /// `%`, `?` or nothing.
    pub(crate) fn parse(input: ParseStream) -> syn::Result<Self> {
        Ok(if input.parse::<Option<Token![%]>>()?.is_some() {
            Self::Display
        } else if input.parse::<Option<Token![?]>>()?.is_some() {
            Self::Debug
        } else {
            Self::Typed
        })
    }
}

impl From<LitStr> for Key {
    fn from(literal: LitStr) -> Self {
        Self { name: literal.value(), tokens: quote::quote!(#literal) }
    }
}

impl From<Ident> for Key {
    fn from(ident: Ident) -> Self {
        Self { name: ident.unraw().to_string(), tokens: quote::quote!(#ident) }
    }
}

impl Parse for Key {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return input.parse::<LitStr>().map(Self::from);
        }
        let Self { mut name, mut tokens } = Self::from(input.call(Ident::parse_any)?);
        while input.peek(Token![.]) {
            let dot: Token![.] = input.parse()?;
            let part = input.call(Ident::parse_any)?;
            name = format!("{name}.{}", part.unraw());
            tokens.extend(quote::quote!(#dot #part));
        }
        Ok(Self { name, tokens })
    }
}

fn skip_to_comma(input: ParseStream) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}
