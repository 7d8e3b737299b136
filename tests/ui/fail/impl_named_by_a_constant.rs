use spandrel::span;

const NAME: &str = "store";

struct Store;

#[span(NAME)]
impl Store {
    fn load(&self) {}
}

#[span("")]
impl Store {
    fn store(&self) {}
}

fn main() {}
