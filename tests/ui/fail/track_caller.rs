use spandrel::span;

#[span]
#[track_caller]
fn load(number: Option<u32>) -> u32 {
    number.unwrap()
}

fn main() {}
