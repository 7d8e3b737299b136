use spandrel::span;

#[span(error_if(|_| true))]
fn load() -> u32 {
    1
}

fn main() {}
