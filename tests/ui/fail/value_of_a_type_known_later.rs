use spandrel::span;

#[span]
fn load(name: &str) -> Vec<u8> {
    #[span("bytes")]
    let bytes = name.into();
    bytes
}

fn main() {}
