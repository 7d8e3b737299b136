use spandrel::{propagate, span};

#[propagate(hedaers)]
#[span]
fn handle(headers: &std::collections::HashMap<String, String>) {}

fn main() {}
