use spandrel::span;

#[span(id = 1)]
fn load(#[record] id: u32) -> u32 {
    id
}

fn main() {}
