use spandrel::span;

#[span]
fn run() -> u32 {
    "seven"
}

#[span]
async fn run_async(early: bool) -> Result<u32, String> {
    if early {
        return Ok("seven");
    }
    Ok(7)
}

fn main() {}
