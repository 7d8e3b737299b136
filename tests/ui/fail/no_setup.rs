use spandrel::traced_app;

struct App;

#[traced_app("shop")]
impl App {
    fn run(&self) {}
}

fn main() {}
