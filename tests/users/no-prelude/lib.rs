//! Spans where no name means what it usually does.

#![no_implicit_prelude]
#![allow(dead_code, non_snake_case, unused_macros, clippy::unused_async, clippy::manual_async_fn)]

use ::spandrel::{propagate, span, traced_app};

mod std {}
mod core {}
mod spandrel {}
mod alloc {}
struct Result;
struct Option;
struct Some;
struct None;
struct Box;
struct String;
struct Future;
fn Ok() {}
fn Err() {}
fn drop() {}
trait Sized {}
trait Send {}
trait Drop {}
trait FnOnce {}
trait From {}
fn span() -> u32 {
    1
}
fn value() -> u32 {
    2
}
fn block() -> u32 {
    3
}
fn attributes() -> u32 {
    4
}
const CALLSITE: u32 = 5;

macro_rules! callsite {
    () => {};
}
macro_rules! outcome {
    () => {};
}

type Std<T> = ::std::result::Result<T, ::std::string::String>;

fn check(good: bool) -> Std<u32> {
    if good {
        ::std::result::Result::Ok(7)
    } else {
        ::std::result::Result::Err(::std::string::ToString::to_string("bad"))
    }
}

/// A function with everything on it.
#[span("all", kind(client), a = span(), b = %value(), c = ?block(), ok(|number| number = number), ret, root)]
pub fn all(#[record] good: bool) -> Std<u32> {
    #[span("let", attributes = attributes(), error_if(|_| true))]
    let number = check(good)?;
    #[span("value")]
    let result = check(number == 7);
    for _ in [1, 2] {
        #[span("round")]
        {
            if result.is_ok() {
                break;
            }
        }
    }
    let closure = |number: u32| -> Std<u32> {
        #[span("closure")]
        check(number == CALLSITE)
    };
    #[span("tail")]
    closure(5)
}

/// An `async` one that continues a trace.
#[propagate(inject(out))]
#[span("later", parent(context))]
pub async fn later(context: ::spandrel::Context, out: &mut ::spandrel::TraceContext) -> Std<u32> {
    #[span("waits")]
    let number = async { check(true) }.await?;
    ::std::result::Result::Ok(number)
}

/// One that returns a future.
#[span]
pub fn returned() -> impl ::std::future::Future<Output = Std<u32>> {
    async { check(true) }
}

/// One that boxes it.
#[span]
pub fn boxed() -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = Std<u32>>>> {
    ::std::boxed::Box::pin(async { check(true) })
}

/// An app type.
pub struct App;

#[traced_app("no-prelude", number = span(), sample(0.5), batch(queue = 10, delay = "1s"), grace("5s"))]
impl App {
    /// Sets the app up.
    pub fn setup() -> Self {
        #[span("block")]
        Self
    }
}

/// Its methods.
#[span]
impl App {
    /// Does nothing.
    pub fn run(&self) {}
}

#[cfg(test)]
mod tests {
    use ::spandrel::testing::record;
    use ::std::{assert, assert_eq};

    #[test]
    fn no_name_is_taken_for_granted() {
        let recording = record(|| {
            assert!(super::all(true).is_ok());
            super::App.run();
            let mut out = <::spandrel::TraceContext as ::std::default::Default>::default();
            let context = ::spandrel::Context::current();
            let later = super::later(context, &mut out);
            assert!(::futures::executor::block_on(later).is_ok());
            assert!(!out.is_empty());
            assert!(::futures::executor::block_on(super::returned()).is_ok());
            assert!(::futures::executor::block_on(super::boxed()).is_ok());
        });
        let tree = "all [client] a=1 b=\"2\" c=\"3\" good=true number=7 return=\"7\"\n\
                    ├─ let attributes=4\n├─ value\n├─ round\n└─ tail\n   └─ closure\n\
                    App::run\nlater\n└─ waits\nreturned\nboxed\n";
        assert_eq!(::std::string::ToString::to_string(&recording), tree);
    }
}
