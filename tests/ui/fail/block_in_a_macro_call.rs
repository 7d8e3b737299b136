use spandrel::span;

#[span]
fn load() -> Vec<u32> {
    vec![
        #[span("one")]
        {
            1
        },
    ]
}

fn main() {}
