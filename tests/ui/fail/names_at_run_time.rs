use spandrel::{span, traced_app};

const NUMBER: u32 = 1;

fn name() -> &'static str {
    "name"
}

#[traced_app(env!("CARGO_PKG_NAME"))]
fn main() {}

#[span(format!("load {id}"))]
fn load(id: u32) {}

#[span(std::concat!("a", "b"), kind(server))]
fn store() {
    #[span(concat!("a", "b"))]
    let _ = 1;
}

#[span(Self::NAME.trim())]
fn method() {}

#[span(name())]
fn call() {}

#[span(kind(server), "name")]
fn late() {}

#[span(NUMBER)]
fn number() {}

#[span(MISSING)]
fn missing() {}
