use spandrel::span;

#[span("inference", kind(sever), steps = , rot, steps = 2, steps = 3)]
fn run() {}

fn main() {
    run();
}
