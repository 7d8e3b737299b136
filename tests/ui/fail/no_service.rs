use spandrel::traced_app;

#[traced_app]
fn main() {}
