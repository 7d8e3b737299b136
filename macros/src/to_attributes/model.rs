//! What a `#[derive(ToAttributes)]` means: which field is recorded how.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Field, Fields, Generics, Ident, Item, ItemStruct, LitStr, Path, Token, Type};

use crate::diagnostics::{Errors, attribute_given_twice};
use crate::syntax::{Capture, default_runtime};

const FORMS: &str = "`#[attribute(\"key\")]`, `#[attribute(%)]`, `#[attribute(?)]`, `#[attribute(\"key\", %)]`, \
                     `#[attribute(..)]` or `#[attribute(skip)]`";

pub(super) struct Group {
    pub(super) name: Ident,
    pub(super) generics: Generics,
    pub(super) fields: Vec<Recorded>,
    pub(super) runtime: Path,
}

/// A field that is recorded.
pub(super) struct Recorded {
    pub(super) field: Ident,
    pub(super) ty: Type,
    pub(super) how: How,
}

pub(super) enum How {
    /// An attribute with this key.
    Attribute(String, Capture),
    /// A group in this group.
    Group,
}

impl How {
    /// The key of an attribute.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Attribute(key, _) => Some(key),
            Self::Group => None,
        }
    }
}

impl Group {
    /// `None` when there is a mistake; it is in `errors` then.
    pub(super) fn new(item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let wrong = match errors.ok(syn::parse2::<Item>(item))? {
            Item::Struct(item) if matches!(item.fields, Fields::Named(_)) => {
                return Some(Self::of_struct(item, errors));
            }
            Item::Struct(item) => item.ident,
            Item::Enum(item) => item.ident,
            Item::Union(item) => item.ident,
            _ => return None,
        };
        let message = "`ToAttributes` is derived for a struct with named fields; implement it by hand for \
                       another type";
        errors.add(wrong, message);
        None
    }

    fn of_struct(item: ItemStruct, errors: &mut Errors) -> Self {
        let runtime = runtime(&item.attrs, errors);
        let recorded = item.fields.into_iter().filter_map(|field| Recorded::new(field, errors));
        let fields: Vec<Recorded> = recorded.collect();
        check_keys(&fields, errors);
        Self { name: item.ident, generics: item.generics, fields, runtime }
    }
}

/// `#[attribute(crate(path))]` on the struct: where the runtime is, when it is renamed or re-exported.
fn runtime(attributes: &[syn::Attribute], errors: &mut Errors) -> Path {
    let mut runtime = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("attribute")) {
        let parse = |input: ParseStream| {
            input.parse::<Token![crate]>()?;
            let path;
            syn::parenthesized!(path in input);
            path.parse::<Path>()
        };
        let parsed = attribute.parse_args_with(parse).map_err(|error| {
            let message = format!("{error}; write `#[attribute(crate(path::to::spandrel))]`");
            syn::Error::new(error.span(), message)
        });
        runtime = errors.ok(parsed).or(runtime);
    }
    runtime.unwrap_or_else(default_runtime)
}

impl Recorded {
    fn new(field: Field, errors: &mut Errors) -> Option<Self> {
        let ident = field.ident?;
        let mut attributes =
            field.attrs.iter().filter(|attribute| attribute.path().is_ident("attribute"));
        let written = match attributes.next() {
            None => Written::default(),
            Some(attribute) => {
                let parsed = attribute.parse_args_with(Written::parse).map_err(|error| {
                    syn::Error::new(error.span(), format!("{error}; write {FORMS}"))
                });
                errors.ok(parsed)?
            }
        };
        for other in attributes {
            errors.add(other, attribute_given_twice("attribute"));
        }
        let how = match written {
            Written::Skip => return None,
            Written::Group => How::Group,
            Written::Attribute(key, capture) => {
                How::Attribute(key.unwrap_or_else(|| ident.unraw().to_string()), capture)
            }
        };
        Some(Self { field: ident, ty: field.ty, how })
    }
}

/// What is written in `#[attribute(…)]`.
enum Written {
    Skip,
    Group,
    Attribute(Option<String>, Capture),
}

impl Default for Written {
    fn default() -> Self {
        Self::Attribute(None, Capture::Typed)
    }
}

impl Written {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(Token![..]) {
            input.parse::<Token![..]>()?;
            return Ok(Self::Group);
        }
        if let Ok(word) = input.fork().parse::<Ident>() {
            input.parse::<Ident>()?;
            return match word.to_string().as_str() {
                "skip" => Ok(Self::Skip),
                _ => Err(syn::Error::new(word.span(), format!("unknown option `{word}`"))),
            };
        }
        let mut key = None;
        if input.peek(LitStr) {
            let literal: LitStr = input.parse()?;
            if literal.value().trim().is_empty() {
                return Err(syn::Error::new(literal.span(), "the key is empty"));
            }
            key = Some(literal.value());
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let capture = Capture::parse(input)?;
        if key.is_none() && capture == Capture::Typed {
            return Err(input.error("expected a key, `%`, `?`, `..` or `skip`"));
        }
        Ok(Self::Attribute(key, capture))
    }
}

/// Reports a key that two fields have.
fn check_keys(fields: &[Recorded], errors: &mut Errors) {
    let key = |recorded: &Recorded| recorded.how.key().map(str::to_owned);
    for (index, recorded) in fields.iter().enumerate() {
        let known = key(recorded);
        if known.is_some() && fields[..index].iter().any(|earlier| key(earlier) == known) {
            let message =
                format!("the key `{}` is given twice; remove one", known.unwrap_or_default());
            errors.add(&recorded.field, message);
        }
    }
}
