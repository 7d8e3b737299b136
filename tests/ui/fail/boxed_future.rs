use std::pin::Pin;

use spandrel::span;

#[span]
fn load() -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async { 1 })
}

fn main() {}
