//! A program that forks while telemetry is up.

use std::process::exit;
use std::time::Duration;

use spandrel::{Config, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let app = spandrel::install(Config::new("forks"));
    if how == "warm" {
        // Connections are open, and the queue is empty.
        before();
        std::thread::sleep(Duration::from_millis(500));
    }
    match fork::fork().expect("it forks") {
        fork::Fork::Child => {
            child();
            drop(app);
            let spandrel::Stats { waiting, dropped, failed, .. } = spandrel::stats();
            exit(i32::from((waiting, dropped, failed) != (0, 0, 0)));
        }
        fork::Fork::Parent(process) => {
            parent();
            let status = fork::waitpid(process).expect("it ends");
            assert_eq!(fork::WEXITSTATUS(status), 0);
            drop(app);
        }
    }
}

#[span]
fn before() {}

#[span]
fn parent() {}

#[span]
fn child() {}
