//! The smallest traced program: one span, and one that fails.
//!
//! ```text
//! cargo run -p hello
//! ```

use spandrel::{span, traced_app};

#[traced_app("hello")]
fn main() {
    for name in ["Ada", ""] {
        match greet(name) {
            Ok(greeting) => println!("{greeting}"),
            Err(error) => println!("nobody greeted: {error}"),
        }
    }
}

#[span("greet", name.length = name.len())]
fn greet(name: &str) -> Result<String, &'static str> {
    if name.is_empty() {
        return Err("the name is empty");
    }
    Ok(format!("hello, {name}"))
}
