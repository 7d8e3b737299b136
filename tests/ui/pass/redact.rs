//! `redact` takes a function, a closure, or what holds one.

use spandrel::{Redaction, Value, traced_app};

fn redact(key: &str, _: &Value) -> Redaction {
    if key == "password" { Redaction::Remove } else { Redaction::Keep }
}

#[traced_app("shop", redact(redact))]
fn main() {
    Closure::setup().teardown();
}

struct Closure;

#[traced_app("closure", redact(|_, value| match value.as_str().contains("Bearer") {
    true => Redaction::Replace("[token]".into()),
    false => Redaction::Keep,
}))]
impl Closure {
    fn setup() -> Self {
        Self
    }
}
