use std::pin::Pin;

use spandrel::span;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

#[span]
fn load() -> BoxFuture<u32> {
    #[span("read")]
    read()
}

fn read() -> BoxFuture<u32> {
    Box::pin(async { 1 })
}

fn main() {}
