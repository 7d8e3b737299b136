use spandrel::span;

#[span]
async fn load() -> u32 {
    #[span("read")]
    let number = read();
    number.await
}

async fn read() -> u32 {
    1
}

fn main() {}
