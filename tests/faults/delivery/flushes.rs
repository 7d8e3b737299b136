//! What flushes and the account say.

use std::io::Write;

use super::flushes;
use crate::collector::Collector;
use crate::process::{PROGRAM, command};

#[test]
fn a_flush_that_ran_out_of_time_leaves_the_backoff_as_it_was() {
    let collector = Collector::answering("503 Service Unavailable");
    let (printed, said) = flushes("hurry", &collector, &[]);
    assert_eq!(printed, "time ran out before all spans were exported\n");
    // In 6.7 s, at delays of 0.1 s, 0.2 s, 0.4 s and so on; in a hurry it would be more than twenty.
    let requests = collector.requests().len();
    assert!((4..=16).contains(&requests), "{requests} requests");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("503 Service Unavailable") && said.contains("keeps the spans"), "{said}");
    assert!(said.contains(&format!("({requests} attempts)")), "{requests}: {said}");
}

#[test]
fn a_flush_says_whether_spans_were_lost() {
    let collector = Collector::start();
    assert_eq!(flushes("forever", &collector, &[]).0, "all spans were exported\n");
    assert_eq!(flushes("async", &collector, &[]).0, "all spans were exported\n");
    let refusing = Collector::answering("400 Bad Request");
    let delay = [("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let (printed, _) = flushes("refused", &refusing, &delay);
    assert_eq!(printed, "1 span was lost: false 1 false\nall spans were exported: true 0 false\n");
}

#[test]
fn the_account_adds_up_at_every_moment() {
    let collector = Collector::counting();
    let queue = [("OTEL_BSP_MAX_QUEUE_SIZE", "100"), ("OTEL_BSP_SCHEDULE_DELAY", "1")];
    assert_eq!(flushes("balance", &collector, &queue).0, "true\n");
}

/// Nobody reads what is drawn, and the program ends as ever.
#[cfg(target_os = "linux")]
#[test]
fn an_unread_terminal_does_not_block_the_program() {
    let (unread, mut pipe) = std::io::pipe().expect("a pipe");
    pipe.write_all(&vec![b' '; 64 * 1024]).expect("there is room");
    let variables = [("OTEL_TRACES_EXPORTER", "console")];
    let mut command = command(PROGRAM, "many", &variables);
    let status = command.stderr(pipe).status().expect("it runs");
    assert_eq!(status.code(), Some(0));
    drop(unread);
}
