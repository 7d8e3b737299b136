use spandrel::span;

trait Answers {
    #[span]
    fn answer(&self) -> u32;
}

fn main() {}
