use std::pin::Pin;

use spandrel::span;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

#[span]
fn load() -> BoxFuture<u32> {
    Box::pin(async { 1 })
}

fn main() {}
