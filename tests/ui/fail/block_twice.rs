use spandrel::span;

#[span]
fn load() -> u32 {
    #[span("one")]
    #[span("two")]
    let number = u32::from(true);
    number
}

fn main() {}
