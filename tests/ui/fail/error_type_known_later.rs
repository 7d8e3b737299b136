use spandrel::span;

#[span]
fn load(numbers: &[&str]) -> Result<Vec<u32>, String> {
    let parse = |text: &&str| {
        #[span("number")]
        if text.is_empty() {
            return Err("it is empty".into());
        }
        Ok(1)
    };
    numbers.iter().map(parse).collect()
}

fn main() {}
