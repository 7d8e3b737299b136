use spandrel::{propagate, span};

#[span]
#[propagate(number)]
const fn area(number: u32) -> u32 {
    number
}

fn main() {}
