//! Expansions as snapshots, to be reviewed like an interface. The modules of the macro crate are
//! taken in by path: a macro crate can export nothing but its macros.
//!
//! After a change: `INSTA_UPDATE=always cargo test -p spandrel-tests --test expand`, and read the
//! difference.

#![allow(dead_code, unreachable_pub)]

#[path = "../../macros/src/block.rs"]
mod block;
#[path = "../../macros/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../macros/src/function.rs"]
mod function;
#[path = "../../macros/src/propagate/mod.rs"]
mod propagate;
#[path = "../../macros/src/span/mod.rs"]
mod span;
#[path = "../../macros/src/syntax/mod.rs"]
mod syntax;
#[path = "../../macros/src/traced_app/mod.rs"]
mod traced_app;

use function::Attribute;
use proc_macro2::TokenStream;
use quote::quote;

fn pretty(tokens: TokenStream) -> String {
    let file = syn::parse2(tokens).expect("an expansion is Rust");
    prettyplease::unparse(&file)
}

fn span(args: TokenStream, item: TokenStream) -> String {
    pretty(function::expand(Attribute::Span, args, item))
}

fn propagate(args: TokenStream, item: TokenStream) -> String {
    pretty(function::expand(Attribute::Propagate, args, item))
}

fn traced_app(args: TokenStream, item: TokenStream) -> String {
    pretty(traced_app::expand(args, item))
}

#[test]
fn sync_function() {
    insta::assert_snapshot!(span(
        quote!("load", kind(client), file.path = %path, size = ?size, model.name = MODEL),
        quote! {
            /// Loads.
            #[inline]
            pub fn load(path: &Path, size: Option<u32>) -> Result<Vec<u8>, Error> {
                let bytes = read(path)?;
                Ok(bytes)
            }
        },
    ));
}

#[test]
fn async_method() {
    insta::assert_snapshot!(span(
        quote!("run", steps = input.steps),
        quote! {
            async fn run(&self, input: Input) -> Result<Output, Error> {
                self.pipe.run(input).await
            }
        },
    ));
}

#[test]
fn returned_future() {
    insta::assert_snapshot!(span(
        quote!(),
        quote! {
            fn fetch(&self, id: u64) -> impl Future<Output = Option<Order>> + Send {
                self.db.get(id)
            }
        },
    ));
}

#[test]
fn propagated_span() {
    insta::assert_snapshot!(span(
        quote!("call", kind(client)),
        quote! {
            #[propagate(extract(request.headers()), inject(out))]
            fn call(request: Request, out: &mut HeaderMap) {
                send(out);
            }
        },
    ));
}

#[test]
fn propagation_alone() {
    insta::assert_snapshot!(propagate(
        quote!(headers),
        quote! {
            async fn handle(headers: HeaderMap) -> u32 {
                7
            }
        },
    ));
}

#[test]
fn main_function() {
    insta::assert_snapshot!(traced_app(
        quote!("shop", deployment.environment.name = "prod", sample(0.1), flush("2s")),
        quote! {
            fn main() -> Result<(), Error> {
                run()
            }
        },
    ));
}

#[test]
fn async_main() {
    insta::assert_snapshot!(traced_app(
        quote!("shop"),
        quote! {
            /// Sells.
            #[tokio::main]
            async fn main() -> Result<(), Error> {
                run().await
            }
        },
    ));
}

#[test]
fn app_type() {
    insta::assert_snapshot!(traced_app(
        quote!(SERVICE, batch(queue = 8192, size = 1024, delay = "2s")),
        quote! {
            impl<T: Model> App<T> {
                const LIMIT: u32 = 3;

                pub async fn setup() -> Result<Self, Error> {
                    Self::load().await
                }

                #[span]
                fn run(&self) {}
            }
        },
    ));
}

#[test]
fn half_typed_bodies_survive() {
    let span = function::expand(Attribute::Span, quote!(), quote!(fn run() { self.half. }));
    assert!(span.to_string().contains("self . half ."), "{span}");
    let app = quote!(impl App { fn setup() -> Self { Self } fn run(&self) { self.half. } });
    let app = traced_app::expand(quote!("shop"), app);
    assert!(app.to_string().contains("self . half ."), "{app}");
}

#[test]
fn mistakes_keep_the_item() {
    insta::assert_snapshot!(span(
        quote!("run", kind(sever), steps = 1, steps = 2),
        quote! {
            fn run() {}
        },
    ));
}
