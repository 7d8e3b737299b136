//! What a signal does to a program with telemetry: the same as to one without, but for the flush.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use signal_hook::consts::{SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};

use crate::collector::{Collector, text};
use crate::process::{SIGNALS, command, kill, run, started, stderr};

fn start(how: &str, collector: &Collector) -> Child {
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    started(&mut command(SIGNALS, how, &variables))
}

/// The numbers of the spans that have arrived, in order.
fn numbers(collector: &Collector) -> Vec<u64> {
    let number = |span: &Span| text(&span.attributes, "number").and_then(|text| text.parse().ok());
    let mut numbers: Vec<u64> = collector.spans().iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Signals a program that handles signals in this way. It goes on for a second, three times its grace
/// period.
fn drains(how: &str, signal: i32) {
    let collector = Collector::start();
    let program = start(how, &collector);
    kill(&program, signal);
    thread::sleep(Duration::from_millis(700));
    let meanwhile = numbers(&collector).len();
    assert!(meanwhile > 15, "{how}: {meanwhile} spans were exported while the program drained");
    let output = program.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(7), ""), "{how}");
    assert_eq!(numbers(&collector), (0..60).collect::<Vec<_>>(), "{how}");
    let interrupted = |span: &Span| text(&span.attributes, "spandrel.interrupted").is_some();
    assert!(!collector.spans().iter().any(interrupted), "{how}");
}

#[test]
fn a_program_that_handles_the_signal_drains_as_long_as_it_likes() {
    const HANDLERS: [&str; 10] = [
        "awaited",
        "tokio-before",
        "tokio-after",
        "tokio-between",
        "hook-between",
        "hook-before",
        "hook-after",
        "raw-before",
        "siginfo-before",
        "ctrlc-before",
    ];
    thread::scope(|scope| {
        for how in HANDLERS {
            scope.spawn(move || drains(how, SIGTERM));
            scope.spawn(move || drains(how, SIGINT));
        }
    });
}

/// A handler that does not call ours: spans are exported by their usual delay, and at the end.
#[test]
fn a_handler_that_takes_the_place_of_ours_works() {
    for how in ["ctrlc-after", "raw-after", "siginfo-after"] {
        let collector = Collector::start();
        let program = start(how, &collector);
        kill(&program, SIGTERM);
        let output = program.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(7), ""), "{how}");
        assert_eq!(numbers(&collector), (0..60).collect::<Vec<_>>(), "{how}");
    }
}

#[test]
fn a_program_that_does_not_handle_the_signal_is_flushed_and_dies_of_it() {
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let collector = Collector::start();
        let mut program = start("none", &collector);
        thread::sleep(Duration::from_millis(200));
        kill(&program, signal);
        let status = program.wait().expect("it ends");
        assert_eq!(status.signal(), Some(signal));
        let numbers = numbers(&collector);
        assert!(numbers.len() > 50, "{} spans before signal {signal}", numbers.len());
        // Every span that ended before, and the one that was open, unless the signal came between two.
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
        let interrupted = |span: &Span| text(&span.attributes, "spandrel.interrupted").is_some();
        assert!(collector.spans().iter().filter(|span| interrupted(span)).count() <= 1);
    }
}

/// One signal may be sent twice at once, to the process and to its group: that is not a second one.
#[test]
fn a_signal_that_is_sent_twice_at_once_counts_as_one() {
    for how in ["none", "awaited"] {
        let collector = Collector::start();
        let mut program = start(how, &collector);
        let twice = format!("kill -TERM {0}; kill -TERM {0}", program.id());
        assert!(Command::new("sh").args(["-c", &twice]).status().expect("it runs").success());
        let status = program.wait().expect("it ends");
        let numbers = numbers(&collector);
        if how == "none" {
            assert_eq!(status.signal(), Some(SIGTERM));
            assert!(numbers.len() >= 10, "{} spans", numbers.len());
        } else {
            assert_eq!((status.code(), numbers.len()), (Some(7), 60));
        }
    }
}

/// What SIGHUP and SIGQUIT mean to a program that handles them, we do not know: nothing is announced.
#[test]
fn a_program_that_handles_sighup_goes_on() {
    let collector = Collector::start();
    let mut program = start("reloads", &collector);
    kill(&program, SIGHUP);
    kill(&program, SIGQUIT);
    thread::sleep(Duration::from_millis(300));
    assert!(program.try_wait().expect("it is ours").is_none());
    kill(&program, SIGTERM);
    assert_eq!(program.wait().expect("it ends").code(), Some(7));
    assert_eq!(numbers(&collector), [0, 1]);
}

#[test]
fn a_second_signal_ends_a_program_that_awaits_the_first() {
    let collector = Collector::start();
    let mut program = start("awaited", &collector);
    kill(&program, SIGTERM);
    thread::sleep(Duration::from_millis(600));
    kill(&program, SIGTERM);
    assert_eq!(program.wait().expect("it ends").signal(), Some(SIGTERM));
}

#[test]
fn ctrlc_says_that_there_is_a_handler() {
    let collector = Collector::start();
    let output = run(SIGNALS, "try-ctrlc", &collector.endpoint);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "refused\n");
}

/// The flush for the signal and the end of `main` race; the signal came first.
#[test]
fn a_program_that_returns_while_it_is_flushed_dies_of_the_signal() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    for _ in 0..3 {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        let mut program = started(&mut command(SIGNALS, "returns", &variables));
        kill(&program, SIGTERM);
        assert_eq!(program.wait().expect("it ends").signal(), Some(SIGTERM));
    }
}

#[test]
fn a_program_that_does_not_handle_the_signal_dies_though_no_thread_can_be_made() {
    let collector = Collector::start();
    let mut program = start("none-without-threads", &collector);
    kill(&program, SIGTERM);
    assert_eq!(program.wait().expect("it ends").signal(), Some(SIGTERM));
    assert!(!numbers(&collector).is_empty());
}

#[test]
fn without_threads_or_descriptors_the_message_says_so() {
    let collector = Collector::start();
    let program = start("without-threads", &collector);
    kill(&program, SIGTERM);
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), Some(SIGTERM));
    let said = stderr(&output);
    assert!(said.contains("no thread can be started") && said.contains("tracing is off"), "{said}");
    assert!(said.contains("the thread that watches for signals cannot be started"), "{said}");

    let output = run(SIGNALS, "without-descriptors", &collector.endpoint);
    assert_eq!(output.status.code(), Some(7));
    let said = stderr(&output);
    assert!(said.contains("no descriptors") && said.contains("tracing is off"), "{said}");
}

#[test]
fn a_program_that_waits_for_signals_gets_them() {
    let collector = Collector::start();
    let output = run(SIGNALS, "sigwait", &collector.endpoint);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "got 1\n");
    assert_eq!((output.status.code(), numbers(&collector).len()), (Some(7), 1));
}

#[test]
fn once_telemetry_is_down_a_signal_ends_the_program_at_once() {
    let collector = Collector::start();
    let mut program = start("after-shutdown", &collector);
    let signalled = Instant::now();
    kill(&program, SIGTERM);
    assert_eq!(program.wait().expect("it ends").signal(), Some(SIGTERM));
    assert!(signalled.elapsed() < Duration::from_secs(10), "it slept on");
}

#[test]
fn a_thread_with_the_name_of_the_main_one_ends_without_telemetry() {
    let collector = Collector::start();
    let output = run(SIGNALS, "named-main", &collector.endpoint);
    assert_eq!((output.status.code(), numbers(&collector).len()), (Some(7), 1));
}

/// The kernel spares the first process of a container. Needs the right to make a namespace for processes.
#[test]
fn the_first_process_of_a_container_lives_and_its_spans_arrive() {
    let unshare = ["--fork", "--pid", "--mount-proc", "--kill-child"];
    let tried = Command::new("unshare").args(unshare).arg("true").output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: no process namespace can be made here");
        return;
    }
    let collector = Collector::start();
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let mut unshared = command("unshare", unshare[0], &variables);
    let mut unshared = started(unshared.args(&unshare[1..]).args([SIGNALS, "none"]));
    let parent = unshared.id();
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let program = children.expect("Linux tells").trim().to_owned();
    for signal in [SIGTERM, SIGINT, SIGTERM] {
        let sent = Command::new("kill").args([format!("-{signal}"), program.clone()]).status();
        assert!(sent.expect("kill runs").success());
        thread::sleep(Duration::from_millis(200));
    }
    let before = numbers(&collector).len();
    thread::sleep(Duration::from_millis(500));
    assert!(numbers(&collector).len() > before + 50, "it lives, and its spans arrive");
    assert!(unshared.try_wait().expect("it is ours").is_none());
    kill(&unshared, SIGKILL);
    unshared.wait().expect("it ends");
}
