use spandrel::span;

#[span(ok(|_| name.length = name.len()))]
fn consume(name: String) -> usize {
    drop(name);
    1
}

#[span(ok(|_| name.length = name.len()))]
async fn consume_later(name: String) -> usize {
    drop(name);
    1
}

#[span(error_if(|_| name.is_empty()))]
fn fallible(name: String) -> Result<(), String> {
    Err(name)
}

fn main() {}
