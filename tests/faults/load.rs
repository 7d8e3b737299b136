//! Programs that end in the middle of their work, and programs with more of it than anyone can
//! take.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value as Json;

use crate::collector::{Behaviour, Collector};
use crate::process::{BURST, TICKS, command, kill, started};

#[test]
fn no_span_is_missing_when_a_program_ends_in_the_middle_of_them() {
    let ends = [("return", None), ("error", None), ("panic", None)];
    let signals = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT];
    let ends = ends.into_iter().chain(signals.map(|signal| ("wait", Some(signal))));
    for (how, signal) in ends {
        let collector = Collector::start();
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
        let mut program = started(&mut command(TICKS, how, &variables));
        if let Some(signal) = signal {
            std::thread::sleep(Duration::from_millis(500));
            kill(&program, signal);
        }
        program.wait().expect("it ends");
        let mut threads = BTreeMap::<i64, Vec<i64>>::new();
        for span in collector.spans() {
            let [thread, number] = ["thread", "number"].map(|key| integer(&span, key));
            threads.entry(thread).or_default().push(number);
        }
        assert_eq!(threads.len(), 4, "{how}");
        for numbers in threads.values() {
            let all: Vec<i64> = (0..).take(numbers.len()).collect();
            assert_eq!(*numbers, all, "{how}");
            assert!(numbers.len() > 50, "{how}: {}", numbers.len());
        }
    }
}

#[test]
fn a_million_spans_for_a_slow_collector_take_no_more_memory_than_they_may() {
    let collector = Collector::counting();
    collector.behave(Behaviour::Slow(Duration::from_millis(100)));
    let mut program = burst(&collector, "1000000", "0");
    let peak = peak_of(&mut program);
    let output = program.wait_with_output().expect("it ends");
    let account: Json = serde_json::from_slice(&output.stdout).expect("an account");
    let number = |field: &str| account[field].as_u64().expect("a number");
    let (exported, dropped) = (number("exported"), number("dropped"));
    assert_eq!(number("accepted"), 1_000_000);
    assert_eq!((exported + dropped, number("failed")), (1_000_000, 0), "{account}");
    assert_eq!(exported, collector.arrived().spans as u64);
    assert!(dropped > 0, "{account}");
    // The queue and eight requests have about 6000 spans.
    assert!(peak < 64 << 10, "{peak} KiB");
    let said = String::from_utf8_lossy(&output.stderr);
    let lost = format!("{dropped} of 1000000 spans lost");
    assert!(said.contains(&lost) && said.contains("OTEL_BSP_MAX_QUEUE_SIZE"), "{said}");
}

/// A thread reserves room for many small spans at once, and must not reserve more than its large ones need.
#[test]
fn large_spans_have_as_much_room_as_small_ones() {
    let collector = Collector::counting();
    collector.behave(Behaviour::Slow(Duration::from_millis(500)));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10000"),
        ("SPAN_BYTES", "3000"),
    ];
    let mut command = command(BURST, "none", &variables);
    let output = command.args(["9000", "0", "return"]).output().expect("it runs");
    let account: Json = serde_json::from_slice(&output.stdout).expect("an account");
    let number = |field: &str| account[field].as_u64().expect("a number");
    assert_eq!((number("dropped"), number("exported")), (0, 9000), "{account}");
}

#[test]
fn large_spans_for_a_collector_that_is_away_take_no_more_memory_than_they_may() {
    let collector = Collector::counting();
    collector.behave(Behaviour::Status { code: 503, retry_after: None });
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100000"),
        ("SPAN_BYTES", "100000"),
    ];
    let mut command = command(BURST, "multi", &variables);
    let mut program = command.args(["5000", "0", "return"]).spawn().expect("it runs");
    let peak = peak_of(&mut program);
    let output = program.wait_with_output().expect("it ends");
    let account: Json = serde_json::from_slice(&output.stdout).expect("an account");
    let number = |field: &str| account[field].as_u64().expect("a number");
    assert_eq!((number("accepted"), number("exported")), (5000, 0), "{account}");
    // 64 MiB of spans wait, and the program itself takes some 10 MiB.
    assert_eq!(number("failed") + number("dropped"), 5000, "{account}");
    assert!(peak < 128 << 10, "{peak} KiB");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"), "{said}");
}

/// For as many seconds as `SOAK` says; `tests/soak.sh` does it for ten minutes.
#[test]
#[ignore = "takes minutes"]
fn soak() {
    let seconds: u64 = std::env::var("SOAK").expect("seconds").parse().expect("a number");
    let collector = Collector::counting();
    let mut program = burst(&collector, &(seconds * 10_000).to_string(), "10000");
    let (begun, mut next) = (Instant::now(), 0);
    let mut sizes = Vec::new();
    while program.try_wait().expect("it is ours").is_none() {
        let elapsed = begun.elapsed().as_secs();
        // Away for ten seconds after a third of the time, and again after two thirds.
        let away = |start: u64| (start..start + 10).contains(&elapsed);
        if away(seconds / 3) || away(seconds * 2 / 3) {
            collector.close();
        } else {
            collector.open();
        }
        if elapsed >= next {
            next = elapsed + seconds.div_ceil(20).max(1);
            let size = status(&program, "VmRSS").unwrap_or_default();
            println!("{elapsed:4} s {size:7} KiB {:9} spans", collector.arrived().spans);
            sizes.push(size);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let output = program.wait_with_output().expect("it ends");
    let account = String::from_utf8_lossy(&output.stdout);
    println!("{}{}", account, String::from_utf8_lossy(&output.stderr));
    let account: Json = serde_json::from_str(&account).expect("an account");
    assert_eq!(account["exported"].as_u64(), Some(seconds * 10_000), "{account}");
    assert_eq!(collector.arrived().spans as u64, seconds * 10_000);
}

/// So many spans at so many a second, with room for what comes in eleven seconds at most.
fn burst(collector: &Collector, spans: &str, rate: &str) -> Child {
    let queue = if rate == "0" { "2048" } else { "120000" };
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", queue),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ];
    let mut command: Command = command(BURST, "multi", &variables);
    command.args([spans, rate, "return"]).spawn().expect("it runs")
}

/// The most memory that the program has had, in KiB, as seen until it ended.
fn peak_of(program: &mut Child) -> u64 {
    let mut peak = 0;
    while program.try_wait().expect("it is ours").is_none() {
        peak = status(program, "VmHWM").unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(20));
    }
    peak
}

fn status(program: &Child, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

fn integer(span: &Span, key: &str) -> i64 {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::IntValue(number)) => *number,
        other => panic!("{key} is {other:?}"),
    }
}
