use spandrel::span;

#[span(ok(|number| number))]
fn load() -> u32 {
    1
}

#[span(ok(number = 1))]
fn store() -> u32 {
    1
}

fn main() {}
