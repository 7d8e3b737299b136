use spandrel::traced_app;

#[traced_app("shop")]
fn handle() {}

fn main() {}
