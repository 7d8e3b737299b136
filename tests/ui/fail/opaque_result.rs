use spandrel::span;

#[span]
fn numbers(upto: u32) -> impl Iterator<Item = u32> {
    0..upto
}

fn main() {}
