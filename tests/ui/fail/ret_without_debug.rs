use spandrel::span;

struct Secret;

#[span(ret)]
fn load() -> Result<Secret, String> {
    Ok(Secret)
}

fn main() {}
