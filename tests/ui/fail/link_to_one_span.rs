use spandrel::{Context, current, span};

#[span(links(current()))]
fn current_span() {}

#[span(links(context))]
fn one(context: Context) {}

#[span(links(cause.as_ref()))]
fn optional_text(cause: Option<String>) {}

#[span(links("cause"))]
fn text() {}

fn main() {}
