use spandrel::span;

#[span]
fn load() -> u32 {
    #[span]
    let number = 1;
    number
}

fn main() {}
