//! A crate that reaches the runtime by another path, and imports each attribute for one use.

mod vendor {
    pub(crate) mod telemetry {
        pub(crate) use spandrel::*;
    }
}

use std::collections::HashMap;

use vendor::telemetry::{propagate, span, traced_app};

#[deny(warnings)]
#[span("handle", crate(crate::vendor::telemetry), size = headers.len())]
#[propagate(headers, crate(crate::vendor::telemetry))]
fn handle(headers: &HashMap<String, String>) -> Result<(), String> {
    let _ = headers;
    Ok(())
}

struct App;

#[traced_app("renamed", crate(crate::vendor::telemetry))]
impl App {
    fn setup() -> Self {
        Self
    }
}

fn main() {
    handle(&HashMap::new()).unwrap();
    let _: (fn() -> App, fn(&App)) = (App::setup, App::teardown);
}
