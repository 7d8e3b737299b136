//! The grammar of all three attributes: what has `=` is data, what is a bare word or has
//! parentheses is an option; a literal or a constant at the start is the name.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, ExprPath, Ident, LitStr, Token};

use super::options::{OptionArgument, up_to_comma};
use super::table::OptionTable;
use crate::diagnostics::{Errors, given_twice};

/// Everything written between the parentheses of an attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<Name>,
    /// Whether there is a mistake in the name: a second one, about a name that is missing, would mislead.
    pub(crate) mistaken_name: bool,
    pub(crate) groups: Vec<Expr>,
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
    /// The `#[cfg(…)]` under which there is such a value.
    pub(crate) conditions: Vec<Attribute>,
}

/// `model.name` or `"model.name"`, with the tokens it was written with.
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) tokens: TokenStream,
    /// Whether it is one word without quotes: then it may be an option that is written as data.
    is_word: bool,
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
    pub(crate) fn parse(
        tokens: TokenStream,
        table: &'static OptionTable,
        errors: &mut Errors,
    ) -> Self {
        let mut arguments = Self::default();
        each(tokens, errors, |input, first| arguments.parse_one(input, first, table));
        let Self { mistaken_name, data, .. } = &mut arguments;
        data.retain(|Data { key, .. }| {
            let mistake = table.as_data(&key.name).filter(|_| key.is_word);
            if let Some(mistake) = &mistake {
                if ["name", "service"].contains(&&*key.name) {
                    *mistaken_name = true;
                }
                errors.add(&key.tokens, mistake);
            }
            mistake.is_none()
        });
        if arguments.mistaken_name {
            arguments.name.get_or_insert_with(Name::mistaken);
        }
        for (index, data) in arguments.data.iter().enumerate() {
            data.check_key(&arguments.data[..index], errors);
        }
        arguments
    }

    fn parse_one(
        &mut self,
        input: ParseStream,
        first: bool,
        table: &OptionTable,
    ) -> syn::Result<()> {
        let is_quoted_option = input.peek(LitStr) && input.peek2(syn::token::Paren);
        if Data::is_next(input) {
            self.data.push(Data::parse(input)?);
        } else if input.peek(Token![..]) {
            self.groups.push(group(input)?);
        } else if let Some(error) = computed(input, table) {
            self.mistaken_name = true;
            return Err(error);
        } else if first
            && !is_quoted_option
            && let Some(name) = Name::parse(input)?
        {
            self.name = Some(name);
        } else if input.peek(LitStr) || is_constant(&input.fork()) {
            return Err(self.not_first(input, table)?);
        } else if input.peek(Ident::peek_any) {
            self.options.push(input.parse()?);
        } else {
            return Err(keyless(input));
        }
        Ok(())
    }

    /// The mistake of a name that does not come first, or of an option in quotes.
    fn not_first(&mut self, input: ParseStream, table: &OptionTable) -> syn::Result<syn::Error> {
        let tokens = input.parse::<TokenTree>()?;
        let word = syn::parse2::<LitStr>(tokens.to_token_stream()).map(|text| text.value());
        let form = word.ok().and_then(|word| table.quoted(&word));
        let message = match form {
            Some(form) => format!("an option is not quoted; write `{form}`"),
            None if self.name.is_some() || self.mistaken_name => {
                "there is a name already; remove one".to_owned()
            }
            None => "the name comes first; move it to the front".to_owned(),
        };
        self.mistaken_name = true;
        Ok(syn::Error::new_spanned(tokens, message))
    }
}

/// Reads one argument after another. An argument that cannot be read is a mistake of its own.
pub(crate) fn each(
    tokens: TokenStream,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream, bool) -> syn::Result<()>,
) {
    let parse = |input: ParseStream| {
        let mut first = true;
        while !input.is_empty() {
            if let Err(error) = one(input, first) {
                errors.push(error);
                up_to_comma(input);
            }
            first = false;
            if !input.is_empty() && !input.peek(Token![,]) {
                errors.push(input.error("expected `,` between arguments"));
                up_to_comma(input);
            }
            let _ = input.parse::<Option<Token![,]>>();
        }
        Ok(())
    };
    let _ = parse.parse2(tokens);
}

/// `..group`
fn group(input: ParseStream) -> syn::Result<Expr> {
    let dots: Token![..] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new_spanned(dots, "the group is missing; write `..group`"));
    }
    input.parse()
}

/// The mistake of a name that is computed: a call, of a macro for example.
fn computed(input: ParseStream, table: &OptionTable) -> Option<syn::Error> {
    let ahead = input.fork();
    let path = ahead.parse::<ExprPath>().ok()?;
    let is_macro = ahead.peek(Token![!]) && !ahead.peek(Token![!=]);
    let is_call = path.path.segments.len() > 1 && ahead.peek(syn::token::Paren);
    let is_more = is_constant(&input.fork()) && ahead.peek(Token![.]);
    (is_macro || is_call || is_more).then(|| {
        let otherwise = match table.form("name") {
            Some(form) => format!(", or `{form}` for one that is computed"),
            None => String::new(),
        };
        let message = format!(
            "the name is a literal or a constant; write `const NAME: &str = …;` and `NAME`{otherwise}"
        );
        syn::Error::new_spanned(path, message)
    })
}

/// The mistake of a value without a key.
fn keyless(input: ParseStream) -> syn::Error {
    let ahead = input.fork();
    let sign = ahead.parse::<TokenTree>().ok();
    let sign = sign.map(|sign| sign.to_string()).filter(|sign| sign == "%" || sign == "?");
    match (sign, ahead.parse::<Ident>()) {
        (Some(sign), Ok(word)) => {
            input.error(format!("this value has no key; write `{word} = {sign}{word}`"))
        }
        (Some(sign), Err(_)) => {
            input.error(format!("this value has no key; write `key = {sign}value`"))
        }
        (None, _) => input.error("expected `key = value`, `..group` or an option"),
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

    /// The static name of a block whose name is computed.
    pub(crate) fn of_block(place: Span) -> Self {
        Self::Literal(LitStr::new("block", place))
    }

    /// Stands for a name with a mistake, so that there is no second one about a name that is missing.
    pub(crate) fn mistaken() -> Self {
        Self::Literal(LitStr::new("name", Span::call_site()))
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
        Key::parse(&ahead).is_ok()
            && ahead.peek(Token![=])
            && !ahead.peek(Token![==])
            && !ahead.peek(Token![=>])
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
        Ok(Self { key, capture, value: input.parse()?, conditions: Vec::new() })
    }

    /// Says so when a key is given for the second time.
    pub(crate) fn check_key(&self, earlier: &[Self], errors: &mut Errors) {
        let Key { name, tokens, .. } = &self.key;
        // Only one of several parameters by a name may be there.
        let twice = |earlier: &Self| {
            let is_conditional = !self.conditions.is_empty() && !earlier.conditions.is_empty();
            earlier.key.name == *name && !is_conditional
        };
        if earlier.iter().any(twice) {
            errors.add(tokens, given_twice(name, "remove one"));
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
        Self { name: literal.value(), tokens: quote::quote!(#literal), is_word: false }
    }
}

impl From<Ident> for Key {
    fn from(ident: Ident) -> Self {
        Self { name: ident.unraw().to_string(), tokens: quote::quote!(#ident), is_word: true }
    }
}

impl Parse for Key {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return input.parse::<LitStr>().map(Self::from);
        }
        let Self { mut name, mut tokens, mut is_word } = Self::from(input.call(Ident::parse_any)?);
        while input.peek(Token![.]) {
            let dot: Token![.] = input.parse()?;
            let part = input.call(Ident::parse_any)?;
            name = format!("{name}.{}", part.unraw());
            tokens.extend(quote::quote!(#dot #part));
            is_word = false;
        }
        Ok(Self { name, tokens, is_word })
    }
}
