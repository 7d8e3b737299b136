//! Half of the traces are sampled, and say so. Writes what it sends to others.

use std::collections::HashMap;

use spandrel::{span, traced_app};

#[traced_app("consistent", sample(consistent(0.5)))]
fn main() {
    (0..64).for_each(|_| request());
}

#[span("request")]
fn request() {
    let mut headers = HashMap::new();
    spandrel::inject(&mut headers);
    println!("{} {}", headers["traceparent"], headers.get("tracestate").map_or("", |text| text));
}
