use spandrel::span;

#[span(links(ids))]
fn load(ids: Vec<u64>) {}

#[span(parent(id))]
fn store(id: &str) {}

fn main() {}
