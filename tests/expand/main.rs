//! Expansions as snapshots, to be reviewed like an interface. The modules of the macro crate are
//! taken in by path: a macro crate can export nothing but its macros.
//!
//! After a change: `INSTA_UPDATE=always cargo test -p spandrel-tests --test expand`, and read the
//! difference.

#![allow(dead_code, unreachable_pub)]

#[path = "../../macros/src/block/mod.rs"]
mod block;
#[path = "../../macros/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../macros/src/function.rs"]
mod function;
#[path = "../../macros/src/item_with_errors.rs"]
mod item_with_errors;
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
fn boxed_future() {
    insta::assert_snapshot!(span(
        quote!(root),
        quote! {
            fn fetch(&self, id: u64) -> BoxFuture<'_, Result<Order, Error>> {
                let db = self.db.clone();
                Box::pin(async move { db.get(id).await })
            }
        },
    ));
}

#[test]
fn method_after_async_trait() {
    insta::assert_snapshot!(span(
        quote!("fetch", id = id, db = self.name),
        quote! {
            fn fetch<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Option<Order>> + 'async_trait>>
            where
                Self: 'async_trait,
            {
                Box::pin(async move {
                    if let ::core::option::Option::Some(__ret) =
                        ::core::option::Option::None::<Option<Order>>
                    {
                        return __ret;
                    }
                    let __self = self;
                    let id = id;
                    let __ret: Option<Order> = { __self.db.get(id).await };
                    __ret
                })
            }
        },
    ));
}

#[test]
fn every_option() {
    let expanded = span(
        quote!(
            "call",
            kind(producer),
            parent(cx),
            links(messages.iter()),
            device(self::gpu()),
            ok(|reply| reply.size = reply.len()),
            ret,
            error_if(|error| error.is_fatal()),
            crate(telemetry)
        ),
        quote! {
            async fn call(#[record] id: u64, #[record("size", message.len())] message: &str) -> Reply {
                send(id, message).await
            }
        },
    );
    insta::assert_snapshot!(expanded);
}

#[test]
fn an_expansion_can_be_read() {
    let options = [
        quote!(),
        quote!("call"),
        quote!(kind(producer)),
        quote!(root),
        quote!(parent(cx)),
        quote!(links(messages.iter())),
        quote!(device(GPU)),
        quote!(ok(|reply| reply.size = reply.len())),
        quote!(ret),
        quote!(error_if(|error| error.is_fatal())),
    ];
    let functions = [
        quote!(
            async fn call(id: u64, message: &str) -> Reply {
                send(id, message).await
            }
        ),
        quote!(
            fn call(id: u64, message: &str) -> Reply {
                send(id, message)
            }
        ),
        quote!(
            fn call(id: u64, message: &str) -> impl Future<Output = Reply> {
                send(id, message)
            }
        ),
    ];
    for option in options {
        for function in &functions {
            let expanded = span(option.clone(), function.clone());
            // A line that holds an expression of the user's, or binds a parameter, is not one more to read.
            let known = ["reply.size", "let id = id;", "let message = message;"];
            let user = |line: &&str| known.iter().any(|known| line.contains(known));
            let lines = expanded.lines().filter(|line| !user(line)).count();
            let added = lines - pretty(function.clone()).lines().count();
            assert!(added <= 21, "{added} lines are too many to read:\n{expanded}");
        }
    }
}

#[test]
fn blocks() {
    insta::assert_snapshot!(span(
        quote!("outer"),
        quote! {
            async fn outer(&self, input: Input) -> Result<Output, Error> {
                #[span("inference", steps = input.steps)]
                let latent = self.pipe.denoise(&input.prompt, input.steps)?;
                for row in latent {
                    #[span("row")]
                    {
                        if row.is_empty() {
                            break;
                        }
                        self.check(row).await;
                    }
                }
                #[span("stored")]
                let stored: bool = self.is_stored();
                let spawned = spawn(async move {
                    #[span("upload", ok(|url| url = %url))]
                    let url = put(stored).await?;
                    Ok::<_, Error>(url)
                });
                #[span("finish")]
                self.finish(spawned).await
            }
        },
    ));
}

#[test]
fn impl_block() {
    insta::assert_snapshot!(span(
        quote!(kind(client)),
        quote! {
            impl<T> Store<T> {
                const LIMIT: usize = 3;

                pub fn get(&self, key: &str) -> Option<&T> {
                    self.values.get(key)
                }

                #[span("own", key = key)]
                fn put(&mut self, key: &str) {}

                #[span(skip)]
                const fn len(&self) -> usize {
                    0
                }
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
fn app_type_whose_options_name_parameters() {
    insta::assert_snapshot!(traced_app(
        quote!("app", backend = backend.name(), processor(traces.clone())),
        quote! {
            impl Server {
                fn setup(backend: &Backend, traces: Traces) -> Self {
                    Self { traces }
                }
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
fn propagation_in_full() {
    insta::assert_snapshot!(propagate(
        quote!(
            request.headers,
            link(first.headers(), second.headers()),
            baggage(tenant.id = request.tenant, region),
            inject(out)
        ),
        quote! {
            #[span(kind(consumer))]
            fn handle(request: Request, first: &Message, second: &Message, out: &mut Headers) {
                run()
            }
        },
    ));
}

#[test]
fn half_typed_bodies_survive() {
    let span = function::expand(Attribute::Span, quote!(), quote!(fn run() { self.half. }));
    assert!(span.to_string().contains("self . half ."), "{span}");
    let item = quote!(fn run() { #[span("block")] let a = work(); self.half. });
    let block = function::expand(Attribute::Span, quote!(), item).to_string();
    assert!(block.contains("self . half .") && !block.contains("\"block\""), "{block}");
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
