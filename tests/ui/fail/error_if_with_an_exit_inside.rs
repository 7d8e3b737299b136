use spandrel::span;

#[span]
fn load() -> Result<u32, String> {
    #[span("number", error_if(|error| !error.is_empty()))]
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
