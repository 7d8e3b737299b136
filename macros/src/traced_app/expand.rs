//! The tokens of an app: its configuration, installed before the first line of its own.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Path};

use super::config::Config;
use super::model::{App, AppItem, AppMember, AppType, is_built_in};
use crate::syntax::{Capture, Data, Function, hand_to};

pub(super) fn expand(app: App) -> TokenStream {
    let App { config, place } = app;
    let runtime = &config.runtime;
    let config = configure(&config);
    match place {
        AppItem::Main(function) => main(*function, &config, runtime),
        AppItem::Type(app) => app_type(app, &config, runtime),
    }
}

fn configure(config: &Config) -> TokenStream {
    let Config { service, groups, resource, calls, runtime } = config;
    let groups =
        groups.iter().map(|group| quote_spanned!(group.span()=> .resource_group(&(#group))));
    let resource = resource.iter().map(|Data { key, capture, value, .. }| {
        let key = &key.name;
        match capture {
            Capture::Typed => quote!(.resource(#key, &(#value))),
            Capture::Display => quote!(.resource(#key, &::std::format!("{}", #value))),
            Capture::Debug => quote!(.resource(#key, &::std::format!("{:?}", #value))),
        }
    });
    let version = quote!(.version(::core::option_env!("CARGO_PKG_VERSION")));
    quote!(#runtime::Config::new(#service) #version #(#groups)* #(#resource)* #(#calls)*)
}

/// The variable that holds telemetry up, out of reach of the user's code.
fn guard() -> Ident {
    Ident::new("_app", Span::mixed_site())
}

/// A `main` round theirs, so that telemetry is up before, and down after, whatever the attributes
/// below make of it: the async runtime, a span.
fn main(mut function: Function, config: &TokenStream, runtime: &Path) -> TokenStream {
    let app = guard();
    let output = &function.sig.output;
    let (built_in, others): (Vec<Attribute>, Vec<Attribute>) =
        std::mem::take(&mut function.attrs).into_iter().partition(is_built_in);
    let outer = quote!(#(#built_in)* fn main() #output);
    function.attrs = others;
    quote! {
        #outer {
            #function
            let #app = #runtime::install(#config);
            main()
        }
    }
}

fn app_type(app: AppType, config: &TokenStream, runtime: &Path) -> TokenStream {
    let AppType { head, members } = app;
    let generated = generated_teardown(&members, runtime);
    let members = members.into_iter().map(|member| match member {
        AppMember::Setup(function) => {
            let start = quote!(#runtime::__private::SetUp::start(#config));
            hand_to(&start, *function, runtime).into_token_stream()
        }
        AppMember::Teardown(function) => {
            let (app, block) = (guard(), &function.body);
            let body = quote! {
                let #app = #runtime::__private::tear_down();
                #block
            };
            function.with_body(&body).into_token_stream()
        }
        AppMember::Other(tokens) => tokens,
    });
    quote!(#head { #(#members)* #generated })
}

/// A `teardown` as visible as `setup`, where none is written.
fn generated_teardown(members: &[AppMember], runtime: &Path) -> Option<TokenStream> {
    let mut vis = None;
    for member in members {
        match member {
            AppMember::Setup(function) => vis = vis.or(Some(&function.head.vis)),
            AppMember::Teardown(_) => return None,
            AppMember::Other(_) => {}
        }
    }
    let app = guard();
    Some(quote! {
        /// Flushes the telemetry of this app.
        #vis fn teardown(&self) {
            let #app = #runtime::__private::tear_down();
        }
    })
}
