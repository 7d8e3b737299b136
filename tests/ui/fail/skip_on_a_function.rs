use spandrel::span;

#[span(skip)]
fn load() {}

fn main() {}
