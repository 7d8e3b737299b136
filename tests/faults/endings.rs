//! However a program ends, its spans arrive and its exit code is its own.

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::process::Child;
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::collector::{Behaviour, Collector, text};
use crate::process::{
    APP_TYPE, ASYNC_APP_TYPE, GRACEFUL, PROGRAM, TOKIO_ABOVE, TOKIO_BELOW, TOLD_TO_STOP, command,
    kill, run, started, stderr,
};

#[test]
fn a_return_flushes() {
    let collector = Collector::start();
    let output = run(PROGRAM, "return", &collector.endpoint);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(collector.summary(), ["main", "work<main", "detail<work"]);
    assert_eq!(collector.resource("service.name").as_deref(), Some("program"));
    assert_eq!(collector.resource("deployment.environment.name").as_deref(), Some("test"));
    assert_eq!(collector.resource("team").as_deref(), Some("a"));
    assert_eq!(collector.resource("telemetry.sdk.language").as_deref(), Some("rust"));
}

#[test]
fn an_error_flushes() {
    let collector = Collector::start();
    let output = run(PROGRAM, "error", &collector.endpoint);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the program failed"));
    assert_eq!(
        collector.summary(),
        ["main!the program failed", "work<main!the program failed", "detail<work"]
    );
}

#[test]
fn baggage_that_is_named_is_on_every_span() {
    let collector = Collector::start();
    run(PROGRAM, "tenant", &collector.endpoint);
    let tenants: Vec<_> = collector
        .spans()
        .iter()
        .map(|span| (span.name.clone(), text(&span.attributes, "tenant.id")))
        .collect();
    let of = |name: &str, tenant: Option<&str>| (name.to_owned(), tenant.map(str::to_owned));
    assert_eq!(tenants.len(), 5);
    assert!(tenants.contains(&of("foreign", Some("acme"))), "{tenants:?}");
    assert!(tenants.contains(&of("detail", Some("acme"))), "{tenants:?}");
    assert!(tenants.contains(&of("work", None)), "{tenants:?}");
}

#[test]
fn an_error_is_one_event_though_it_passes_other_people_s_spans() {
    let collector = Collector::start();
    run(PROGRAM, "foreign", &collector.endpoint);
    let error = "!it failed once";
    let names = ["main", "work<main", "fails<foreign"].map(|name| format!("{name}{error}"));
    let spans = collector.summary();
    assert!(names.iter().all(|name| spans.contains(name)), "{spans:?}");
    assert!(spans.contains(&"foreign<work".to_owned()), "{spans:?}");
    let events = |span: &Span| span.events.len();
    assert_eq!(collector.spans().iter().map(events).sum::<usize>(), 1);
}

#[test]
fn a_panic_flushes() {
    let collector = Collector::start();
    let output = run(PROGRAM, "panic", &collector.endpoint);
    assert_eq!(output.status.code(), Some(101));
    assert_eq!(
        collector.summary(),
        ["main!the program panicked", "work<main!the program panicked", "detail<work"]
    );
}

#[cfg(unix)]
#[test]
fn an_exit_from_any_thread_flushes() {
    for how in ["exit", "exit-elsewhere"] {
        let collector = Collector::start();
        let output = run(PROGRAM, how, &collector.endpoint);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(3), ""), "{how}");
        assert_eq!(collector.summary(), ["main", "work<main", "detail<work"], "{how}");
        let work = &collector.spans()[1];
        assert_eq!(text(&work.attributes, "spandrel.interrupted").as_deref(), Some("true"));
    }
}

/// The flush of `program` may take 1 s.
#[cfg(unix)]
#[test]
fn a_collector_that_hangs_cannot_hold_an_exit() {
    let (_listener, endpoint) = silent();
    let exiting = std::time::Instant::now();
    let output = run(PROGRAM, "exit-elsewhere", &endpoint);
    assert_eq!(output.status.code(), Some(3));
    assert!(exiting.elapsed() < Duration::from_secs(15), "it is not waited for");
    assert!(stderr(&output).contains("3 of 3 spans lost"), "{}", stderr(&output));
}

#[test]
fn an_async_main_flushes_what_its_runtime_cancels() {
    for (program, name) in [(TOKIO_ABOVE, "tokio-above"), (TOKIO_BELOW, "tokio-below")] {
        let collector = Collector::start();
        let output = run(program, "", &collector.endpoint);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", stderr(&output));
        let work = "work!async failure".to_owned();
        let spans = collector.summary();
        assert!(spans.contains(&work), "{name}: {spans:?}");
        assert_eq!(collector.resource("service.name").as_deref(), Some(name));
        for span in collector.spans().iter().filter(|span| span.name == "forever") {
            assert_eq!(text(&span.attributes, "spandrel.cancelled").as_deref(), Some("true"));
        }
    }
}

#[test]
fn an_app_type_flushes_at_teardown() {
    let collector = Collector::start();
    let output = run(APP_TYPE, "", &collector.endpoint);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(collector.summary(), ["warmup", "run"]);

    let collector = Collector::start();
    let output = run(ASYNC_APP_TYPE, "", &collector.endpoint);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(collector.summary(), ["step", "step", "step"]);
}

#[test]
fn a_setup_that_fails_flushes() {
    let collector = Collector::start();
    let output = run(APP_TYPE, "setup-fails", &collector.endpoint);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(collector.summary(), ["warmup!cold"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_teardown_that_never_comes_is_made_up_for() {
    for (argument, code, run_span) in [("forgotten", 0, "run"), ("panic", 101, "run!")] {
        let collector = Collector::start();
        let output = run(APP_TYPE, argument, &collector.endpoint);
        assert_eq!(output.status.code(), Some(code));
        let spans = collector.summary();
        assert_eq!(spans.len(), 2, "{spans:?}");
        assert!(spans[1].starts_with(run_span), "{spans:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_open_spans_and_flushes() {
    use std::os::unix::process::ExitStatusExt;

    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let collector = Collector::start();
        let mut program = waiting(PROGRAM, &collector.endpoint);
        kill(&program, signal);
        let status = program.wait().expect("it ends");
        assert_eq!(status.signal(), Some(signal));
        assert_eq!(collector.summary(), ["main", "work<main", "detail<work"]);
        let work = &collector.spans()[1];
        assert_eq!(text(&work.attributes, "spandrel.interrupted").as_deref(), Some("true"));
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    use std::os::unix::process::ExitStatusExt;

    let (_listener, endpoint) = silent();
    let program = waiting(PROGRAM, &endpoint);
    kill(&program, signal_hook::consts::SIGINT);
    thread::sleep(Duration::from_millis(600));
    kill(&program, signal_hook::consts::SIGINT);
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.signal(), Some(signal_hook::consts::SIGINT));
    // A flush that was waited for would have told of what it lost.
    assert_eq!(stderr(&output), "");
}

#[cfg(unix)]
#[test]
fn a_program_that_answers_the_signal_comes_to_its_own_end() {
    let collector = Collector::start();
    let mut program = waiting(GRACEFUL, &collector.endpoint);
    kill(&program, signal_hook::consts::SIGTERM);
    assert_eq!(program.wait().expect("it ends").code(), Some(0));
    assert_eq!(collector.summary(), ["quick", "slow"]);
    let interrupted = |span: &Span| text(&span.attributes, "spandrel.interrupted").is_some();
    assert!(!collector.spans().iter().any(interrupted));
}

#[cfg(unix)]
#[test]
fn a_program_that_waits_for_the_signal_comes_to_its_own_end() {
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        for variables in [&[][..], &[("ENABLE_TRACING", "false")]] {
            let collector = Collector::start();
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
            let variables = [variables, &[endpoint]].concat();
            let mut program = started(&mut command(TOLD_TO_STOP, "60", &variables));
            kill(&program, signal);
            assert_eq!(program.wait().expect("it ends").code(), Some(7));
            let spans = if variables.len() == 1 { &["work"][..] } else { &[] };
            assert_eq!(collector.summary(), spans);
        }
    }
}

/// The flush may take 2.4 s, and nobody answers; the program works on for 2 s after the signal.
#[cfg(unix)]
#[test]
fn what_is_left_of_the_grace_period_is_the_time_for_the_flush() {
    let (_listener, endpoint) = silent();
    for (grace, least, most) in
        [(None, 700, 1500), (Some("1s"), 500, 1200), (Some("1m"), 2400, 4000)]
    {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        let mut command = command(TOLD_TO_STOP, "3", &variables);
        if let Some(grace) = grace {
            command.env("SPANDREL_GRACE", grace);
        }
        let program = started(command.arg("2"));
        kill(&program, signal_hook::consts::SIGTERM);
        let output = program.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(7));
        let took = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
        let took = took.expect("a number of milliseconds");
        assert!((least..most).contains(&took), "{grace:?}: {took} ms");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_still_ends_a_program_that_goes_on_after_its_teardown() {
    use std::os::unix::process::ExitStatusExt;

    let collector = Collector::start();
    let mut program = waiting(APP_TYPE, &collector.endpoint);
    kill(&program, signal_hook::consts::SIGTERM);
    let status = program.wait().expect("it ends");
    assert_eq!(status.signal(), Some(signal_hook::consts::SIGTERM));
    assert_eq!(collector.summary(), ["warmup", "run"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    use std::os::unix::process::ExitStatusExt;

    let collector = Collector::start();
    let script = format!("trap '' INT; exec {PROGRAM} wait");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let mut shell = command("sh", "-c", &variables);
    let mut program = started(shell.arg(script));
    kill(&program, signal_hook::consts::SIGINT);
    thread::sleep(Duration::from_millis(300));
    kill(&program, signal_hook::consts::SIGTERM);
    let status = program.wait().expect("it ends");
    assert_eq!(status.signal(), Some(signal_hook::consts::SIGTERM));
}

/// A program that has started and waits, in the middle of a span or not.
fn waiting(path: &str, endpoint: &str) -> Child {
    started(&mut command(path, "wait", &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]))
}

/// A collector that takes connections and never answers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, endpoint)
}

#[test]
fn a_collector_that_refuses_is_told_of() {
    let (listener, endpoint) = silent();
    drop(listener);
    let output = run(PROGRAM, "return", &endpoint);
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    let start =
        format!("spandrel: 3 of 3 spans lost on the way from program to {endpoint}/v1/traces: ");
    assert!(said.starts_with(&start), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_collector_that_rejects_is_told_of() {
    let collector = Collector::answering("400 Bad Request");
    let output = run(PROGRAM, "return", &collector.endpoint);
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    assert!(said.contains("3 of 3 spans lost") && said.contains("400"), "{said}");
}

#[test]
fn a_collector_whose_details_are_garbage_is_told_of() {
    for (protocol, why) in
        [("http/protobuf", "500 Internal Server Error"), ("grpc", "Internal error")]
    {
        let collector = Collector::start();
        collector.behave(Behaviour::GarbageDetails);
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ];
        let output = command(PROGRAM, "return", &variables).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        let said = stderr(&output);
        assert!(said.contains(why) && said.contains("3 of 3 spans lost"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_collector_that_hangs_cannot_hold_the_program() {
    let (_listener, endpoint) = silent();
    let output = run(APP_TYPE, "", &endpoint);
    assert_eq!(output.status.code(), Some(0));
    // The exporter's own timeout is 10 s.
    let said = stderr(&output);
    assert!(said.contains("2 of 2 spans lost") && said.contains("no answer within 2s"), "{said}");
}

#[test]
fn a_full_queue_is_told_of() {
    let (_listener, endpoint) = silent();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
    ];
    let output = command(PROGRAM, "many", &variables).output().expect("it runs");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("of 5003 spans lost"), "{said}");
}

#[test]
fn an_answer_that_breaks_off_is_known_by_its_status() {
    for (status, lost) in [("200 OK", false), ("400 Bad Request", true)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = thread::spawn(move || {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 10\r\n\r\nshort");
            listener.incoming().take(1).for_each(|connection| {
                let mut connection = connection.expect("a connection");
                let mut read = connection.try_clone().expect("a socket");
                thread::spawn(move || std::io::copy(&mut read, &mut std::io::sink()));
                thread::sleep(Duration::from_millis(100));
                connection.write_all(answer.as_bytes()).expect("it listens");
                connection.shutdown(Shutdown::Both).expect("it is open");
            });
        });
        let output = run(PROGRAM, "return", &endpoint);
        // A second request would find nobody there.
        requests.join().expect("no panic");
        let said = stderr(&output);
        assert_eq!(said.contains("3 of 3 spans lost") && said.contains(status), lost, "{said}");
        assert_eq!(said.is_empty(), !lost, "{said}");
    }
}

#[test]
fn what_a_collector_warns_of_is_told() {
    let collector = Collector::start();
    collector.behave(Behaviour::Partial { rejected: 0, message: "the disk is nearly full" });
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let program = started(&mut command(PROGRAM, "wait", &variables));
    thread::sleep(Duration::from_millis(500));
    kill(&program, signal_hook::consts::SIGTERM);
    let said = stderr(&program.wait_with_output().expect("it ends"));
    let warning = "accepted the spans of program with a warning: the disk is nearly full\n";
    assert!(said.ends_with(warning), "{said}");
    assert_eq!(collector.summary().len(), 3);
}

/// A pipe that is full, and that nobody reads.
#[cfg(target_os = "linux")]
#[test]
fn a_standard_error_that_nobody_reads_holds_nothing_up() {
    use std::os::unix::process::ExitStatusExt;

    for (how, code, signal) in [("return", Some(0), None), ("wait", None, Some(15))] {
        let (unread, mut pipe) = std::io::pipe().expect("a pipe");
        pipe.write_all(&vec![b' '; 64 * 1024]).expect("there is room");
        let (listener, endpoint) = silent();
        drop(listener);
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        let mut command = command(PROGRAM, how, &variables);
        command.stderr(pipe);
        let mut program = match signal {
            Some(_) => started(&mut command),
            None => command.spawn().expect("it runs"),
        };
        if let Some(signal) = signal {
            kill(&program, signal);
        }
        let status = program.wait().expect("it ends");
        assert_eq!((status.code(), status.signal()), (code, signal), "{how}");
        drop(unread);
    }
}

#[test]
fn traces_that_do_not_end_are_drawn_in_parts() {
    let variables = [("OTEL_TRACES_EXPORTER", "console")];
    let output = command(PROGRAM, "parts", &variables).output().expect("it runs");
    let written = String::from_utf8_lossy(&output.stdout).into_owned();
    let exported = written.split_once("accepted: 12001, exported: ").expect("an account").1;
    let exported: u32 = exported.split_once(',').expect("more").0.parse().expect("a number");
    // Those that end while the others are drawn are drawn with them, or wait.
    assert!((10_000..=12_001).contains(&exported), "{written}");
    assert!(stderr(&output).contains("detail"));
}

#[test]
fn a_closed_standard_error_changes_nothing() {
    let collector = Collector::answering("400 Bad Request");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let mut program = command(PROGRAM, "return", &variables).spawn().expect("it runs");
    drop(program.stderr.take());
    assert_eq!(program.wait().expect("it ends").code(), Some(0));
}
