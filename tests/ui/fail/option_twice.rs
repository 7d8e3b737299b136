use spandrel::traced_app;

#[traced_app("shop", team = "a", team = "b", batch(queue = 1, queue = 2), flush("1s"), flush("2s"))]
fn main() {}
