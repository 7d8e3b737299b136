//! Panics in the middle of a span, on a thread that is not the main one.

use spandrel::{carry, span, traced_app};

#[traced_app("abort-user")]
#[span("main")]
fn main() {
    let _ = std::thread::spawn(carry(work)).join();
    println!("still there");
}

#[span("work")]
fn work() {
    panic!("out of luck");
}
