use spandrel::span;

#[span(err(|error| length = error.len()))]
fn load() -> u32 {
    1
}

fn main() {}
