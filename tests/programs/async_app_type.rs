//! An app type whose `setup` and `teardown` are async.

use spandrel::{span, traced_app};

struct App;

#[traced_app("async-app-type")]
impl App {
    async fn setup() -> Result<Self, String> {
        tokio::task::yield_now().await;
        step("in setup").await;
        Ok(Self)
    }

    async fn teardown(self) {
        step("in teardown").await;
    }
}

#[span("step", which = which)]
async fn step(which: &str) {
    tokio::task::yield_now().await;
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let app = App::setup().await?;
    step("between").await;
    app.teardown().await;
    Ok(())
}
