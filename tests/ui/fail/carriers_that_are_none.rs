use spandrel::propagate;

type Headers = std::collections::HashMap<String, String>;

#[propagate(inject(a, b))]
fn two(a: &mut Headers, b: &mut Headers) {}

#[propagate(injct(a))]
fn misspelt(a: &mut Headers) {}

#[propagate(a, extract(a))]
fn twice(a: &Headers) {}

#[propagate(Headers::new())]
fn fresh() {}

fn main() {}
