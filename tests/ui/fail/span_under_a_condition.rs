use spandrel::span;

#[span]
fn load() -> u32 {
    #[cfg_attr(unix, span("read"))]
    {
        1
    }
}

fn main() {}
