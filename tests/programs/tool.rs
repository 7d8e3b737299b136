//! A command-line tool that continues its caller's trace, and calls itself.

use std::process::Command;

use spandrel::{ProcessEnvironment, propagate, span, traced_app};

#[traced_app("tool")]
fn main() {
    let calls = std::env::args().nth(1).is_some_and(|argument| argument == "calls");
    if calls { outer() } else { inner() }
}

#[propagate(ProcessEnvironment)]
#[span]
fn outer() {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    prepare(&mut command);
    assert!(command.status().expect("it runs").success());
}

#[propagate(inject(command))]
#[span]
fn prepare(command: &mut Command) {}

#[propagate(extract(spandrel::ProcessEnvironment))]
#[span]
fn inner() {}
