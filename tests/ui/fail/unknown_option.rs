use spandrel::traced_app;

#[traced_app("shop", samle(0.1))]
fn main() {}
