use spandrel::span;

#[span("one")]
#[span("two")]
fn run() {}

fn main() {}
