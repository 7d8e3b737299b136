use std::future::IntoFuture;

use spandrel::span;

#[span]
fn load() -> impl IntoFuture<Output = u32> {
    std::future::ready(1)
}

fn main() {}
