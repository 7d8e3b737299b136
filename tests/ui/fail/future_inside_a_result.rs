use spandrel::span;

#[span]
fn load() -> Result<impl Future<Output = u32>, String> {
    Ok(async { 1 })
}

fn main() {}
