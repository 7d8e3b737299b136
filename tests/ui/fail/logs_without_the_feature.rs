use spandrel::traced_app;

#[traced_app("shop", logs)]
fn main() {}
