use spandrel::traced_app;

#[traced_app("shop", sample(1.5))]
fn main() {}
