use spandrel::span;

#[span("inference", kind(sever))]
fn run() {}

fn main() {}
