use spandrel::traced_app;

#[traced_app("shop", batch(queue = 10, delay = "2 seconds", sise = 3), flush(4))]
fn main() {}
