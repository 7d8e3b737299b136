//! A `fn main` that ends in the way its argument says.

use std::sync::Barrier;
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::Tracer;
use spandrel::{propagate, span, traced_app};

#[traced_app(
    "program",
    deployment.environment.name = "test",
    "team" = String::from("a"),
    grace("2s"),
    flush("1s"),
    baggage(tenant.id, "not.there")
)]
#[span("main")]
fn main() -> Result<(), String> {
    let how = std::env::args().nth(1).unwrap_or_default();
    work(&how)
}

#[span("work", how = how)]
fn work(how: &str) -> Result<(), String> {
    detail();
    match how {
        "error" => Err("the program failed".to_owned()),
        // Another instrumentation's span between two of ours.
        "foreign" => global::tracer("foreign").in_span("foreign", |_| fails()),
        "panic" => panic!("the program panicked"),
        "wait" => {
            println!("waiting");
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        "exit" => std::process::exit(3),
        "exit-elsewhere" => {
            let exits = || std::process::exit(3);
            std::thread::spawn(spandrel::carry(exits)).join().expect("it never returns")
        }
        "many" => {
            (0..5000).for_each(|_| detail());
            Ok(())
        }
        "tenant" => {
            tenant("acme");
            Ok(())
        }
        "parts" => {
            parts();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Its spans are of one tenant, those of others too.
#[propagate(baggage(tenant.id = id))]
fn tenant(id: &str) {
    global::tracer("foreign").in_span("foreign", |_| detail());
}

/// More spans than anyone holds, in traces that are all open.
fn parts() {
    let barrier = Barrier::new(21);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| part(&barrier));
        }
        barrier.wait();
        println!("{:?}", spandrel::stats());
        barrier.wait();
    });
}

#[span(root)]
fn part(barrier: &Barrier) {
    (0..600).for_each(|_| detail());
    barrier.wait();
    barrier.wait();
}

#[span]
fn detail() {}

#[span]
fn fails() -> Result<(), String> {
    Err("it failed once".to_owned())
}
