use spandrel::propagate;

#[propagate(number)]
fn handle(number: u32) {}

fn main() {}
