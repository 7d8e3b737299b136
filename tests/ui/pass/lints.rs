//! Expansions under nearly every lint there is.

#![deny(
    warnings,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    trivial_casts,
    single_use_lifetimes,
    let_underscore_drop,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    redundant_lifetimes
)]

use std::collections::HashMap;

use spandrel::{propagate, span, traced_app};

struct App {
    name: String,
}

#[traced_app("lints", team = "a", sample(0.5))]
impl App {
    fn setup() -> Result<Self, String> {
        Ok(Self { name: "app".to_owned() })
    }

    #[propagate(extract(headers), inject(out))]
    #[span("run", kind(server), name = self.name, length = headers.len())]
    async fn run(
        &self,
        headers: &HashMap<String, String>,
        out: &mut HashMap<String, String>,
    ) -> Result<u32, std::num::ParseIntError> {
        const SEVEN: &str = "7";
        let number = parse(SEVEN)?;
        out.clear();
        Ok(number)
    }
}

#[span("parse", text = %text)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[span]
fn returned() -> impl Future<Output = u32> {
    async { 1 }
}

fn app() -> Result<(), String> {
    let app = App::setup()?;
    drop(app.run(&HashMap::new(), &mut HashMap::new()));
    drop(returned());
    app.teardown();
    Ok(())
}

fn main() {
    // That it compiles is all.
    let _: fn() -> Result<(), String> = app;
}
