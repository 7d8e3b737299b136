use spandrel::span;

fn load() -> u32 {
    #[span("number")]
    let number = 1;
    number
}

fn main() {}
