use spandrel::span;

#[span]
fn load() -> u32 {
    #[span("number")]
    let number: u32 = {
        let text = "1";
        text
    };
    number
}

fn main() {}
