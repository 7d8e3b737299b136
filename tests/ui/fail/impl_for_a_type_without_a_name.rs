use spandrel::span;

trait Sum {
    fn sum(&self) -> u32;
}

#[span]
impl Sum for [u32] {
    fn sum(&self) -> u32 {
        self.iter().sum()
    }
}

fn main() {}
