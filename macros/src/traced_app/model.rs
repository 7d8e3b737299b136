//! What a `#[traced_app]` means: a configuration, and the place where it is installed.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Path, ReturnType};

use super::config::Config;
use crate::diagnostics::Errors;
use crate::function::expand_blocks;
use crate::syntax::{
    AppOptions, Arguments, Function, ImplBlock, Member, TRACED_APP, default_runtime,
};

pub(super) struct App {
    pub(super) config: Config,
    pub(super) place: AppItem,
}

pub(super) enum AppItem {
    /// `fn main`, what `#[tokio::main]` made of it, or `async fn main` with that below.
    Main(Box<Function>),
    Type(AppType),
}

/// An `impl` block: its tokens up to the braces, and its members in their order.
pub(super) struct AppType {
    pub(super) head: TokenStream,
    pub(super) members: Vec<AppMember>,
}

pub(super) enum AppMember {
    Setup(Box<Function>),
    Teardown(Box<Function>),
    Other(TokenStream),
}

impl App {
    /// `None` when there is a mistake; it is in `errors` then.
    pub(super) fn new(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let Arguments { name, groups, data, options, .. } =
            Arguments::parse(args, &TRACED_APP, errors);
        let mut options = AppOptions::parse(options, errors);
        let runtime = options.runtime.take().unwrap_or_else(default_runtime);
        let place = AppItem::new(item, &runtime, errors);
        let config = Config::new(name, (groups, data), options, runtime, errors);
        Some(Self { config: config?, place: place? })
    }
}

impl AppItem {
    fn new(item: TokenStream, runtime: &Path, errors: &mut Errors) -> Option<Self> {
        if let Ok(function) = syn::parse2::<Function>(item.clone()) {
            return Self::main(expand_blocks(function, runtime, errors), errors);
        }
        if ImplBlock::is_it(&item) {
            return AppType::new(item, runtime, errors).map(Self::Type);
        }
        let message = "`#[traced_app]` goes on `fn main`, or on an `impl` block with a `setup`";
        errors.push(syn::Error::new(proc_macro2::Span::call_site(), message));
        None
    }

    fn main(function: Function, errors: &mut Errors) -> Option<Self> {
        if function.sig.ident != "main" {
            let message = "`#[traced_app]` goes on `fn main`, or on an `impl` block with a \
                           `setup`; for another function, `#[span]` is meant";
            errors.add(&function.sig.ident, message);
            return None;
        }
        if let Some(asyncness) = &function.sig.asyncness
            && function.attrs.iter().all(is_built_in)
        {
            errors.add(asyncness, "an `async fn main` needs a runtime; add `#[tokio::main]`");
            return None;
        }
        Some(Self::Main(Box::new(function)))
    }
}

impl AppType {
    fn new(item: TokenStream, runtime: &Path, errors: &mut Errors) -> Option<Self> {
        let ImplBlock { head, members } = errors.ok(syn::parse2(item))?;
        let members = members.into_iter().map(|member| match member {
            Member::Function(function) => {
                AppMember::new(expand_blocks(*function, runtime, errors), errors)
            }
            Member::Other(tokens) => AppMember::Other(tokens),
        });
        let members: Vec<AppMember> = members.collect();
        if !members.iter().any(|member| matches!(member, AppMember::Setup(..))) {
            errors.add(
                head,
                "`#[traced_app]` needs a `setup` here, telemetry is up before its first line; \
                 write `fn setup() -> Self`, or put the attribute on `fn main`",
            );
            return None;
        }
        Some(Self { head, members })
    }
}

impl AppMember {
    fn new(function: Function, errors: &mut Errors) -> Self {
        let name = function.sig.ident.to_string();
        if name != "setup" && name != "teardown" {
            return Self::Other(function.into_token_stream());
        }
        check_untraced(&function, errors);
        if name == "teardown" {
            return Self::Teardown(Box::new(function));
        }
        if matches!(function.sig.output, ReturnType::Default) {
            errors.add(&function.sig.ident, "`setup` makes the app; return `Self` or a `Result`");
        }
        Self::Setup(Box::new(function))
    }
}

/// A span round `setup` would start before telemetry is up, one round `teardown` end after it.
fn check_untraced(function: &Function, errors: &mut Errors) {
    if let Some(attribute) = function.attribute("span") {
        let name = &function.sig.ident;
        let message = format!(
            "`{name}` cannot be a span, telemetry is not up all the while; put it on what \
             `{name}` calls"
        );
        errors.add(attribute, message);
    }
}

/// Attributes of the language; anything else may bring a runtime, or be a span.
pub(super) fn is_built_in(attribute: &Attribute) -> bool {
    let known = ["doc", "cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid", "inline"];
    known.iter().any(|word| attribute.path().is_ident(word))
}
