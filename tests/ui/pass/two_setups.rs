//! One `setup` a configuration, each with its own telemetry; a ratio that is no literal.

use spandrel::traced_app;

static RATIO: std::sync::LazyLock<f64> = std::sync::LazyLock::new(|| 0.5);

struct App;

#[traced_app("two-setups", sample(*RATIO))]
impl App {
    #[cfg(any())]
    fn setup() -> Self {
        Self
    }

    #[cfg(not(any()))]
    async fn setup() -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self)
    }

    #[cfg(any())]
    fn teardown(&self) {}

    #[cfg(not(any()))]
    fn teardown(&self) {}
}

fn main() {
    drop(App::setup());
    let _: fn(&App) = App::teardown;
}
