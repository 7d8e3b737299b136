//! What is counted and reported of lost spans.

use super::*;

const FLUSH: Duration = Duration::from_secs(5);

fn losses() -> Arc<Losses> {
    Losses::new("tests", "nowhere".to_owned(), 7)
}

/// The reasons for the loss of so many spans.
fn reasons(losses: &Losses, lost: u64) -> String {
    let report = losses.report(lost, 100, FLUSH).expect("spans are lost");
    let start = format!("{lost} of 100 spans lost on the way from tests to nowhere: ");
    report.strip_prefix(&start).expect("it starts with the numbers").to_owned()
}

#[test]
fn nothing_is_said_if_nothing_is_lost() {
    let losses = losses();
    losses.unavailable("it is busy", false);
    losses.taken(0, None);
    assert_eq!(losses.report(0, 100, FLUSH), None);
}

#[test]
fn the_report_gives_each_reason_with_its_spans_and_the_most_attempts() {
    let losses = losses();
    losses.count_attempt();
    losses.refused(3, "too long");
    assert_eq!(reasons(&losses, 3), "too long");
    losses.count_attempt();
    losses.count_attempt();
    losses.refused(2, "too long");
    assert_eq!(reasons(&losses, 5), "too long (2 attempts)");
    losses.refused(0, "nothing is lost");
    losses.refused(1, "too old");
    assert_eq!(reasons(&losses, 6), "5 spans: too long (2 attempts); 1 span: too old");
    assert!(losses.state().losses_reported_at.is_some());
}

#[test]
fn the_report_says_which_limit_the_queue_has_reached() {
    let losses = losses();
    losses.overflow(Full::Spans);
    let spans = "1 span: the queue of 7 spans was full; raise OTEL_BSP_MAX_QUEUE_SIZE";
    assert_eq!(reasons(&losses, 1), spans);
    losses.refused(4, "too long");
    losses.overflow(Full::Bytes);
    losses.overflow(Full::Bytes);
    let bytes = "2 spans: waiting spans may take 64 MiB of memory; shorten their texts with \
                 OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    assert_eq!(reasons(&losses, 7), format!("{spans}; {bytes}; 4 spans: too long"));
}

#[test]
fn four_reasons_are_told_apart() {
    let losses = losses();
    for why in ["a", "b", "c", "d", "e", "f", "a"] {
        losses.count_attempt();
        losses.count_attempt();
        losses.refused(1, why);
    }
    let expected = "2 spans: a (2 attempts); 1 span: b (2 attempts); 1 span: c (2 attempts); \
                    3 spans: for other reasons";
    assert_eq!(reasons(&losses, 7), expected);
}

#[test]
fn spans_are_given_up_for_the_last_failure_or_for_want_of_an_answer() {
    let losses = losses();
    losses.given_up(1, Some(Duration::from_secs(2)));
    losses.given_up(1, None);
    losses.count_attempt();
    losses.unavailable("it is busy", true);
    losses.count_attempt();
    losses.unavailable("it is away", true);
    losses.given_up(1, Some(Duration::from_secs(2)));
    let expected = "1 span: no answer within 2s; 1 span: no answer within 5s; \
                    1 span: it is away (2 attempts)";
    assert_eq!(reasons(&losses, 3), expected);
}

#[test]
fn an_answer_ends_an_outage_and_its_attempts() {
    let answers: [fn(&Losses); 2] =
        [|losses| losses.taken(0, None), |losses| losses.refused(0, "no")];
    for answer in answers {
        let losses = losses();
        losses.count_attempt();
        losses.count_attempt();
        losses.unavailable("it is busy", false);
        answer(&losses);
        assert!(losses.state().outage.is_none());
        losses.given_up(1, None);
        assert_eq!(reasons(&losses, 1), "no answer within 5s");
    }
}

#[test]
fn rejected_spans_are_lost_for_the_reason_that_the_destination_gives() {
    let losses = losses();
    losses.taken(2, Some("too long"));
    losses.taken(1, None);
    losses.taken(0, Some("a warning"));
    assert!(losses.state().warning_reported_at.is_some());
    assert_eq!(reasons(&losses, 3), "2 spans: too long; 1 span: some spans were rejected");
}

#[test]
fn an_outage_is_reported_once_a_minute_and_not_during_a_flush() {
    let is_reported =
        |losses: &Losses| losses.state().outage.as_ref().is_some_and(|outage| outage.reported);
    let losses = losses();
    losses.unavailable("it is busy", true);
    assert!(!is_reported(&losses), "there is a flush");
    losses.unavailable("it is busy", false);
    assert!(is_reported(&losses));
    losses.unavailable("it is busy", true);
    assert!(is_reported(&losses), "it was reported before");
    losses.taken(0, None);
    losses.unavailable("it is busy", false);
    assert!(!is_reported(&losses), "the last report is not a minute old");
}

#[test]
fn what_is_silenced_reports_nothing_but_the_losses() {
    let losses = losses();
    losses.silence();
    losses.unavailable("it is busy", false);
    losses.overflow(Full::Spans);
    losses.report_overflow(false);
    losses.refused(1, "too long");
    let state = losses.state();
    assert!(state.outage_reported_at.is_none() && state.overflow_reported_at.is_none());
    assert!(state.losses_reported_at.is_none());
    drop(state);
    assert!(losses.overflow(Full::Spans), "it is still to be reported");
    assert!(reasons(&losses, 3).ends_with("1 span: too long"));
}

#[test]
fn a_full_queue_is_reported_again_after_it_was_empty() {
    let losses = losses();
    let report = |queue_is_empty| {
        let is_reported = || losses.state().overflow_reported_at.take().is_some();
        losses.report_overflow(queue_is_empty);
        is_reported()
    };
    assert!(!report(false), "the queue was never full");
    assert!(losses.overflow(Full::Spans));
    assert!(report(false));
    assert!(!losses.overflow(Full::Bytes), "it was reported");
    assert!(!report(false), "the queue was not empty meanwhile");
    assert!(report(true), "another span was dropped");
    assert!(!report(true), "no other span was dropped");
    assert!(losses.overflow(Full::Spans));
    losses.state().overflow_reported_at = Some(Instant::now());
    losses.report_overflow(false);
    assert!(losses.overflow(Full::Spans), "the last report is not a second old");
}

#[test]
fn a_message_is_due_when_its_interval_is_over() {
    let mut reported_at = None;
    assert!(due(&mut reported_at, REMINDER) && reported_at.is_some());
    assert!(!due(&mut reported_at, REMINDER));
    assert!(due(&mut reported_at, Duration::ZERO));
}

#[test]
fn a_child_of_fork_counts_anew() {
    let losses = losses();
    losses.overflow(Full::Spans);
    losses.refused(1, "too long");
    let child = losses.start_over();
    child.overflow(Full::Spans);
    let expected = "1 span: the queue of 7 spans was full; raise OTEL_BSP_MAX_QUEUE_SIZE";
    assert_eq!(reasons(&child, 1), expected);
}
