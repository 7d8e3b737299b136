use spandrel::span;

#[span(root(true), ret = true)]
fn load() {}

fn main() {}
