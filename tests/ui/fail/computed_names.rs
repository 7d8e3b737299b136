use spandrel::span;

#[span("handle", name(format!("handle {route}")))]
fn handle(route: &str) {}

#[span(name(route.len()))]
fn of_another_type(route: &str) {}

#[span(format!("handle {route}"))]
fn without_the_option(route: &str) {}

fn main() {}
