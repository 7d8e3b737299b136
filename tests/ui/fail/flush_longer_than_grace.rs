use spandrel::traced_app;

#[traced_app("shop", flush("6s"), grace("5s"))]
fn main() {}
