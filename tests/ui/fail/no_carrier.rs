use spandrel::propagate;

#[propagate]
fn handle() {}

fn main() {}
