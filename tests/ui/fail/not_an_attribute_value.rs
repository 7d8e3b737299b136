use spandrel::span;

struct Prompt(String);

#[span("inference", prompt = prompt)]
fn run(prompt: &Prompt) -> usize {
    prompt.0.len()
}

fn main() {}
