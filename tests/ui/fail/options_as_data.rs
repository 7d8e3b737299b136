use spandrel::{propagate, span, traced_app};

#[traced_app("silent", sample = 0.01, logs = true, "logs" = false, logs.level = "info")]
fn main() {}

#[traced_app(name = "shop", flush = "4s")]
impl App {
    fn setup() -> Self {
        App
    }
}

struct App;

#[span(root = true, ret = true, err = true, kind = "server", "kind" = "server", id.kind = 1)]
fn load() -> Result<u32, String> {
    #[span(name = "block", target = "here")]
    let number = 1;
    Ok(number)
}

#[span(level = "debug")]
impl App {
    fn one(&self, #[record] level: u32) {}

    fn two(&self) {}
}

#[propagate(baggage = tenant, inject = headers, tenant.id = tenant, inject: headers)]
fn send(tenant: u32, headers: &mut Vec<(String, String)>) {}
