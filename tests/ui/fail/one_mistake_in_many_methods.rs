use spandrel::span;

struct Store;

#[span(knd(server), root(true))]
impl Store {
    fn load(&self) {}

    fn store(&self) {}
}

fn main() {}
