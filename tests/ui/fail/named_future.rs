use std::future::Ready;

use spandrel::span;

#[span]
fn load() -> Ready<u32> {
    std::future::ready(1)
}

fn main() {}
