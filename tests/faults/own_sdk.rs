//! Programs that set OpenTelemetry up themselves, or bring an exporter.

use std::time::{Duration, Instant};

use crate::collector::Collector;
use crate::process::{OWN_EXPORTER, OWN_PROCESSOR, OWN_SDK, command, kill, started, stderr};

fn run(program: &str, how: &str, variables: &[(&str, &str)]) -> (String, String) {
    let output = command(program, how, variables).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let said = stderr(&output);
    (String::from_utf8(output.stdout).expect("text"), said)
}

#[test]
fn a_provider_that_is_adopted_gets_the_spans() {
    assert_eq!(
        run(OWN_SDK, "adopt", &[]),
        ("part:1 work:0 part:1 work:0\n".to_owned(), String::new())
    );
}

#[test]
fn a_provider_that_is_set_already_stays() {
    let (names, said) = run(OWN_SDK, "install", &[]);
    assert_eq!(names, "part:1 work:0 part:1 work:0\n");
    assert_eq!(
        said,
        "spandrel: a tracer provider is set already: spans go there, and this configuration is \
         ignored\n"
    );
}

#[test]
fn a_provider_that_replaces_another_is_adopted_in_its_place() {
    // The first one records while it is shut down.
    let (names, said) = run(OWN_SDK, "again", &[]);
    assert_eq!((names.as_str(), said.as_str()), ("part:1 work:0 part:1 part:1 work:0\n", ""));
}

#[test]
fn the_program_s_own_sampler_decides() {
    assert_eq!(run(OWN_SDK, "samples", &[]), ("part:1 part:1\n".to_owned(), String::new()));
}

#[test]
fn an_exporter_of_the_program_s_own_gets_the_spans_unless_the_environment_names_another() {
    let (written, said) = run(OWN_EXPORTER, "works", &[]);
    assert!(written.starts_with("work:error.type=&str\n") && said.is_empty(), "{written}{said}");
    let (written, said) = run(OWN_EXPORTER, "works", &[("OTEL_TRACES_EXPORTER", "console")]);
    assert!(written.starts_with('\n'), "{written}");
    assert!(said.starts_with("work "), "{said}");
    let (written, said) = run(OWN_EXPORTER, "works", &[("OTEL_TRACES_EXPORTER", "zipkin")]);
    assert!(written.starts_with("work:"), "{written}");
    assert!(said.ends_with("; using the program's own exporter\n"), "{said}");
}

#[test]
fn a_processor_of_the_program_s_own_sees_the_spans_beside_the_exporter() {
    let (seen, drawn) = run(OWN_PROCESSOR, "", &[("OTEL_TRACES_EXPORTER", "console")]);
    assert_eq!(seen, "start, sampled: true\nend of work of shop\nshut down\n");
    assert!(drawn.starts_with("work "), "{drawn}");
}

#[test]
fn a_processor_that_records_spans_does_not_see_those() {
    let collector = Collector::start();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let (seen, said) = run(OWN_PROCESSOR, "records", &[endpoint]);
    assert_eq!((seen.as_str(), said.as_str()), ("end of work\n", ""));
    assert_eq!(collector.summary(), ["work"]);
}

#[test]
fn a_span_that_ends_when_telemetry_is_down_is_accounted_for() {
    for (how, account) in [
        ("late", "accepted: 1, exported: 0, dropped: 1, failed: 0, waiting: 0"),
        ("late-native", "accepted: 1, exported: 1, dropped: 0, failed: 0, waiting: 0"),
    ] {
        let collector = Collector::start();
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
        let (written, said) = run(OWN_PROCESSOR, how, &[endpoint]);
        assert!(written.contains(account), "{how}: {written}{said}");
    }
}

#[test]
fn an_exporter_that_flushes_does_not_wait_for_itself() {
    let since = Instant::now();
    let (written, said) = run(OWN_EXPORTER, "asks", &[]);
    assert!(written.starts_with("true work:"), "{written}{said}");
    assert!(since.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_first_keys_are_kept_with_their_last_values() {
    let limit = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "3");
    let (written, said) = run(OWN_EXPORTER, "keys", &[limit]);
    // 3 of 3006 keys.
    assert!(written.starts_with("keys:start=again,a=a,b=b (3003 dropped)\n"), "{written}{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_an_exporter_starts_has_the_signal_mask_of_the_program() {
    let (written, said) = run(OWN_EXPORTER, "mask", &[]);
    assert!(written.starts_with("SigBlk:\t0000000000000000 work:"), "{written}{said}");
}

#[test]
fn a_processor_may_ask_for_telemetry_while_that_is_shut_down() {
    let none = ("OTEL_TRACES_EXPORTER", "none");
    let (seen, said) = run(OWN_PROCESSOR, "asks", &[none]);
    assert_eq!(seen, "shut down: false\n");
    assert_eq!(
        said,
        "spandrel: telemetry is being set up or shut down; this configuration is ignored\n"
    );
}

#[test]
fn a_processor_may_ask_for_telemetry_while_its_program_is_killed() {
    let since = Instant::now();
    let none = ("OTEL_TRACES_EXPORTER", "none");
    let program = started(&mut command(OWN_PROCESSOR, "asks-killed", &[none]));
    kill(&program, signal_hook::consts::SIGTERM);
    let output = program.wait_with_output().expect("it ends");
    assert!(since.elapsed() < Duration::from_secs(15));
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(seen, "shut down: false\n", "{}", stderr(&output));
}

#[test]
fn a_processor_that_panics_loses_no_span() {
    let collector = Collector::start();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let (_, said) = run(OWN_PROCESSOR, "panics", &[endpoint]);
    assert!(said.contains("not now"), "{said}");
    assert_eq!(collector.spans().len(), 1);
}

#[test]
fn a_processor_that_takes_its_time_takes_none_of_ours() {
    let since = Instant::now();
    let collector = Collector::start();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str());
    let (_, said) = run(OWN_PROCESSOR, "slow", &[endpoint]);
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert_eq!(collector.spans().len(), 1);
    assert!(said.ends_with("was not shut down in time, or failed\n"), "{said}");
}

#[test]
fn beside_a_processor_of_the_program_s_own_keep_does_nothing() {
    let none = ("OTEL_TRACES_EXPORTER", "none");
    // What a span that is not recorded would record is not asked for.
    let (seen, said) = run(OWN_PROCESSOR, "keep", &[none]);
    let said = said.as_str();
    let expected = "spandrel: `keep` has no effect beside a span processor of the program's own\n";
    assert_eq!((seen.as_str(), said), ("", expected));
}

#[test]
fn processors_of_the_program_s_own_are_flushed_too() {
    let none = ("OTEL_TRACES_EXPORTER", "none");
    let (seen, _) = run(OWN_PROCESSOR, "flush", &[none]);
    assert_eq!(seen, "flushed\ntrue\nshut down within 2\n");
    let (seen, _) = run(OWN_PROCESSOR, "flush-slow", &[none]);
    assert_eq!(seen, "false\n");
}

#[test]
fn an_exporter_is_asked_for_one_thing_at_a_time() {
    let (written, _) = run(OWN_EXPORTER, "many", &[]);
    assert!(written.ends_with("at once: 1\n"), "{written}");
}

#[test]
fn a_flush_is_over_when_all_is_through() {
    let (written, _) = run(OWN_EXPORTER, "flush", &[]);
    assert!(written.starts_with("true Stats { accepted: 1, exported: 1,"), "{written}");
}

#[test]
fn spans_in_an_exporter_that_fails_are_lost_and_counted() {
    for (how, why) in [
        ("blocks", "no answer within 1s"),
        ("pending", "no answer within 1s"),
        ("panics", "the exporter panicked"),
    ] {
        let (written, said) = run(OWN_EXPORTER, how, &[]);
        let account = "accepted: 1, exported: 0, dropped: 0, failed: 1, waiting: 0";
        assert!(written.contains(account), "{how}: {written}");
        assert!(said.contains("1 of 1 spans lost") && said.contains(why), "{how}: {said}");
    }
}

#[test]
fn the_time_for_an_export_is_limited_where_that_is_wanted() {
    let variables = [("OTEL_BSP_EXPORT_TIMEOUT", "100"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let (written, said) = run(OWN_EXPORTER, "pending", &variables);
    assert!(written.starts_with("Stats { accepted: 1, exported: 0, dropped: 0, failed: 1,"));
    assert!(said.contains("no answer within 100ms"), "{said}");
}

#[test]
fn spans_that_start_while_telemetry_is_set_up_are_whole() {
    let (written, _) = run(OWN_EXPORTER, "races", &[]);
    assert_eq!(written, "false 0\n");
}

#[test]
fn an_attribute_that_panics_loses_no_span() {
    let (written, _) = run(OWN_EXPORTER, "boom", &[]);
    assert!(written.starts_with("boom:error.type=panic\n"), "{written}");
}

#[test]
fn the_last_value_counts_however_many_came_before() {
    let (written, _) = run(OWN_EXPORTER, "repeats", &[]);
    assert!(written.starts_with("repeats:step=199,error.type=&str\n"), "{written}");
}

/// Run by `tests/stock-exporter/run.sh`, which builds the program with the real crate.
#[test]
#[ignore = "needs a program that is built apart"]
fn the_stock_exporter_works_with_each_of_its_clients() {
    let program = std::env::var("STOCK_EXPORTER").expect("the path of the program");
    for client in ["default", "blocking", "async", "hyper", "grpc"] {
        let collector = Collector::start();
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
        let output = command(&program, client, &variables).output().expect("it runs");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{client}");
        let account = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(account.contains("accepted: 31, exported: 31,"), "{client}: {account}");
        assert_eq!(collector.spans().len(), 31, "{client}");
    }
}
