use spandrel::span;

#[span("", "" = 1)]
fn run() {}

fn main() {}
