//! An app type, set up and torn down, or not.

use spandrel::{span, traced_app};

struct App {
    name: &'static str,
}

#[traced_app(
    "app-type",
    sample(1.0),
    batch(queue = 64, size = 32, delay = "1s"),
    grace("3s"),
    flush("2s")
)]
impl App {
    const NAMES: [&'static str; 1] = ["only"];

    fn setup(fails: bool) -> Result<Self, String> {
        let [name] = Self::NAMES;
        let app = Self { name };
        app.warmup(fails)?;
        Ok(app)
    }

    #[span("warmup", "name" = self.name)]
    fn warmup(&self, fails: bool) -> Result<(), String> {
        if fails { Err("cold".to_owned()) } else { Ok(()) }
    }

    #[span("run")]
    fn run(&self, how: &str) {
        assert_ne!(how, "panic", "{} in run", self.name);
    }
}

fn main() -> Result<(), String> {
    let how = std::env::args().nth(1).unwrap_or_default();
    let app = App::setup(how == "setup-fails")?;
    app.run(&how);
    if how != "forgotten" {
        app.teardown();
    }
    if how == "wait" {
        println!("waiting");
        std::thread::sleep(std::time::Duration::from_secs(30));
    }
    Ok(())
}
