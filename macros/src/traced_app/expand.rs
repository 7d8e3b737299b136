//! The tokens of an app: its configuration, installed before the first line of its own.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Ident, Path};

use super::model::{App, AppType, Config, Place};
use crate::syntax::{Capture, Data, Function};

pub(super) fn expand(app: App) -> TokenStream {
    let App { config, place, runtime } = app;
    let config = configure(&config, &runtime);
    match place {
        Place::Main(function) => {
            let statements = function.body.stream();
            let app = guard();
            let body = quote!(let #app = #runtime::install(#config); #statements);
            function.with_body(&body).into_token_stream()
        }
        Place::AsyncMain(function) => async_main(function, &config, &runtime),
        Place::Type(app) => app_type(*app, &config, &runtime),
    }
}

/// The variable that holds telemetry up, out of reach of the user's code.
fn guard() -> Ident {
    Ident::new("_app", Span::mixed_site())
}

fn configure(config: &Config, runtime: &Path) -> TokenStream {
    let Config { service, resource, calls } = config;
    let resource = resource.iter().map(|Data { key, capture, value }| {
        let key = &key.name;
        match capture {
            Capture::Typed => quote!(.resource(#key, &(#value))),
            Capture::Display => quote!(.resource(#key, &::std::format!("{}", #value))),
            Capture::Debug => quote!(.resource(#key, &::std::format!("{:?}", #value))),
        }
    });
    quote!(#runtime::Config::new(#service) #(#resource)* #(#calls)*)
}

/// Installs outside of the runtime, so that what its shutdown ends is flushed too.
fn async_main(function: Function, config: &TokenStream, runtime: &Path) -> TokenStream {
    let output = &function.sig.output;
    let (documentation, attributes): (Vec<Attribute>, Vec<Attribute>) =
        function.attrs.iter().cloned().partition(|attribute| attribute.path().is_ident("doc"));
    let main = Function { attrs: attributes, ..function.clone() };
    let app = guard();
    let body = quote! {
        let #app = #runtime::install(#config);
        #main
        main()
    };
    quote!(#(#documentation)* fn main() #output { #body })
}

fn app_type(app: AppType, config: &TokenStream, runtime: &Path) -> TokenStream {
    let AppType { head, setup, teardown, others } = app;
    let app = guard();
    let teardown = match teardown {
        Some(teardown) => {
            let statements = teardown.body.stream();
            teardown.with_body(&quote! {
                let #app = #runtime::__private::tear_down();
                #statements
            })
        }
        None => generated_teardown(&setup, runtime),
    };
    let setup = set_up(setup, config, runtime);
    quote!(#(#head)* { #setup #(#others)* #teardown })
}

fn set_up(setup: Function, config: &TokenStream, runtime: &Path) -> Function {
    let output = setup.output();
    let block = &setup.body;
    let value = Ident::new("value", Span::mixed_site());
    let failed = quote!(|#value| #runtime::__private::outcome!(#value).is_some());
    let start = quote!(#runtime::__private::SetUp::start(#config));
    let body = if setup.is_async() {
        quote!(#start.follow(async move #block, #failed).await)
    } else {
        quote!(#start.run(move || -> #output #block, #failed))
    };
    setup.with_body(&body)
}

fn generated_teardown(setup: &Function, runtime: &Path) -> Function {
    let (vis, app) = (&setup.head.vis, guard());
    syn::parse_quote! {
        /// Flushes the telemetry of this app.
        #vis fn teardown(&self) {
            let #app = #runtime::__private::tear_down();
        }
    }
}
