use spandrel::traced_app;

#[traced_app("shop")]
async fn main() {}
