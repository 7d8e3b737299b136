//! A program that forks while telemetry is up.

use std::process::{Command, exit};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use spandrel::{Config, Stats, span};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let config = Config::new("forks").grace(Duration::from_secs(2)).flush(Duration::from_secs(1));
    let mut app = Some(spandrel::install(config));
    match how.as_str() {
        "cold" => {}
        // Connections are open, and the queue is empty.
        "warm" => {
            before();
            thread::sleep(Duration::from_millis(500));
        }
        // The queue is full, and what was taken from it is not answered.
        "full" => (0..200).for_each(|_| {
            before();
            thread::sleep(Duration::from_millis(1));
        }),
        "deaf" | "told" | "idle" => return waits_for_a_signal(&how),
        "exits" => return exits(),
        "inside" => return inside(),
        "threads" => return threads(),
        "open" => return open(),
        // Telemetry was up before, and is set up again in the child.
        "again" => drop(app.take()),
        other => panic!("unknown: {other}"),
    }
    let ended = in_child(|| {
        let app = app.take().unwrap_or_else(|| spandrel::install(Config::new("forks")));
        child();
        let Stats { accepted, waiting, .. } = spandrel::stats();
        assert!(waiting <= accepted);
        drop(app);
        let Stats { accepted, exported, dropped, failed, waiting, .. } = spandrel::stats();
        assert_eq!((waiting, accepted), (0, exported + dropped + failed));
        exit(i32::from(exported == 0));
    });
    assert_eq!(ended, 0);
    if app.is_some() {
        parent();
    }
}

/// How a child that does this ended: its exit code and its signal, as `wait` tells them.
fn in_child(body: impl FnOnce()) -> i32 {
    match fork::fork().expect("it forks") {
        fork::Fork::Child => {
            body();
            exit(1);
        }
        fork::Fork::Parent(process) => fork::waitpid(process).expect("it ends"),
    }
}

/// A child that would go on for ever is told to stop.
fn waits_for_a_signal(how: &str) {
    let ended = in_child(|| {
        match how {
            "told" => spandrel::after_fork(),
            "deaf" => child(),
            _ => {}
        }
        let kill = format!("sleep 0.3; kill -TERM {}", std::process::id());
        let mut shell = Command::new("sh").args(["-c", &kill]).spawn().expect("it runs");
        thread::sleep(Duration::from_secs(30));
        let _ = shell.wait();
    });
    assert_eq!(ended & 0x7f, 15);
}

/// A child that exits without a span of its own, while one of the parent's has not been exported.
fn exits() {
    before();
    assert_eq!(in_child(|| exit(0)), 0);
    parent();
}

/// A child whose first spans start on several threads at once, before any span of its parent.
fn threads() {
    let ended = in_child(|| {
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    (0..50).for_each(|_| child());
                });
            }
        });
        spandrel::flush(Duration::from_secs(10));
        let Stats { accepted, exported, .. } = spandrel::stats();
        assert_eq!((accepted, exported), (200, 200));
        exit(0);
    });
    assert_eq!(ended, 0);
}

/// A span that is open at the fork ends in the child first.
fn open() {
    let is_child = forks();
    if !is_child {
        spandrel::flush(Duration::from_secs(10));
    }
    let Stats { accepted, exported, .. } = spandrel::stats();
    assert_eq!((accepted, exported), if is_child { (0, 0) } else { (1, 1) });
    if is_child {
        exit(0);
    }
}

#[span]
fn forks() -> bool {
    match fork::fork().expect("it forks") {
        fork::Fork::Child => true,
        fork::Fork::Parent(process) => {
            assert_eq!(fork::waitpid(process).expect("it ends"), 0);
            false
        }
    }
}

/// Processes that go on with one trace.
#[span]
fn inside() {
    before();
    for _ in 0..2 {
        let ended = in_child(|| {
            child();
            exit(0);
        });
        assert_eq!(ended, 0);
    }
    parent();
}

#[span]
fn before() {}

#[span]
fn parent() {}

#[span]
fn child() {}
