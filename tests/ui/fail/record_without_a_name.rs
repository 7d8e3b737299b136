use spandrel::span;

struct Store(u32);

impl Store {
    #[span]
    fn load(#[record] &self, #[record] (one, _): (u32, u32), #[record("two", three four)] two: u32) -> u32 {
        self.0 + one + two
    }
}

fn main() {}
