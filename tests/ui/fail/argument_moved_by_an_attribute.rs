use spandrel::span;

#[span(length = into_length(name))]
fn load(name: String) -> String {
    name
}

fn into_length(name: String) -> usize {
    name.len()
}

fn main() {}
