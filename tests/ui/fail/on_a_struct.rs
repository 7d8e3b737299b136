use spandrel::span;

#[span]
struct Order;

fn main() {}
