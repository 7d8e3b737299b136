use spandrel::span;

#[span]
fn load() -> u32 {
    #[span("number")]
    let number;
    number = 1;
    number
}

fn main() {}
