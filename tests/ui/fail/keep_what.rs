use spandrel::traced_app;

#[traced_app("shop", sample(consistent(1.5)), keep(error, slower_than("2 hours")))]
fn main() {}

struct App;

#[traced_app("shop", keep())]
impl App {
    fn setup() -> Self {
        Self
    }
}
