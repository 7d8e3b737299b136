use spandrel::span;

#[span]
fn load() -> impl Fn(&str) -> usize {
    |text| text.len()
}

fn main() {}
