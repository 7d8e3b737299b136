use spandrel::{span, traced_app};

struct App;

#[traced_app("shop")]
impl App {
    #[span]
    fn setup() -> Self {
        Self
    }
}

fn main() {}
