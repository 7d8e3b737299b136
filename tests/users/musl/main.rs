//! A program that exits on another thread than its main one, in the middle of a trace.

use spandrel::{span, traced_app};

#[traced_app("musl-user")]
fn main() {
    order();
}

#[span("order")]
fn order() {
    pack();
    let exits = || std::process::exit(3);
    std::thread::spawn(exits).join().expect("it never returns");
}

#[span("pack")]
fn pack() {}
