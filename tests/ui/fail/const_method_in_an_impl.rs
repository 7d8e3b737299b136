use spandrel::span;

struct Store(u32);

#[span]
impl Store {
    const fn load(&self) -> u32 {
        self.0
    }

    #[span("store", kind(sever))]
    fn store(&mut self, number: u32) {
        self.0 = number;
    }
}

fn main() {}
