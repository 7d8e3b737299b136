use spandrel::span;

#[span(sizes = sizes)]
fn sum(sizes: &[u64]) -> u64 {
    sizes.iter().sum()
}

fn main() {}
