use spandrel::{propagate, span as traced};

#[propagate(headers)]
#[traced]
fn load(headers: &[(&str, &str)]) {}

fn main() {}
