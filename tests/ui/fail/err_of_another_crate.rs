use spandrel::span;

#[span(err)]
fn load() -> Result<u32, String> {
    Ok(1)
}

#[span(err(|error|))]
fn store() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
