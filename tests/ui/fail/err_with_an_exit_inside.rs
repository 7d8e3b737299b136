use spandrel::span;

#[span]
fn load() -> Result<u32, String> {
    #[span("number", err(|error| length = error.len()))]
    let number = {
        let one = read()?;
        one + read()?
    };
    Ok(number)
}

fn read() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
