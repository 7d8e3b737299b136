use spandrel::traced_app;

#[traced_app("shop", flush("6s"))]
fn main() {}
