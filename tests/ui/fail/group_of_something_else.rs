use spandrel::{ToAttributes, span};

struct Request;

#[span(..request)]
fn handle(request: &Request) {}

#[span(ok(|value| ..value))]
fn count() -> u32 {
    1
}

#[span(..)]
fn nothing() {}

#[derive(ToAttributes)]
enum Choice {
    First,
}

#[derive(ToAttributes)]
struct Pair(u8, u8);

#[derive(ToAttributes)]
struct Wrong {
    #[attribute(rename = "x")]
    first: u8,
    #[attribute("")]
    second: u8,
    #[attribute("third")]
    a: u8,
    #[attribute("third")]
    b: u8,
}

#[derive(ToAttributes)]
struct NoValue {
    request: Request,
    #[attribute(%)]
    shown: Request,
    #[attribute(..)]
    group: Request,
}

fn main() {}
