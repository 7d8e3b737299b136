#[spandrel::span]
fn load() -> u32 {
    #[span("read")]
    {
        read()
    }
}

fn read() -> u32 {
    1
}

fn main() {}
