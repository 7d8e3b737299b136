use spandrel::{Context, propagate, span};

#[span(root, parent(context))]
fn load(context: &Context) {}

#[propagate(headers)]
#[span(parent(context))]
fn store(context: &Context, headers: &[(&str, &str)]) {}

fn main() {}
