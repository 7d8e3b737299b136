//! What a span holds when it is given more than it may hold, and when an error comes last.

use std::time::Duration;

use crate::recorder::{record, record_async};
use futures::StreamExt;
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;
use spandrel::span;

fn attribute(span: &SpanData, key: &str) -> Vec<String> {
    let pairs = span.attributes.iter().filter(|pair| pair.key.as_str() == key);
    pairs.map(|pair| pair.value.to_string()).collect()
}

#[span]
fn ticks(events: usize) -> Result<(), String> {
    (0..events).for_each(|_| spandrel::current().event("tick", ()));
    Err("at the end".to_owned())
}

#[test]
fn an_exception_has_its_event_however_many_there_are() {
    for (events, kept, dropped) in [(5, 6, 0), (127, 128, 0), (128, 128, 1), (500, 128, 373)] {
        let recording = record(|| ticks(events));
        let span = &recording.spans()[0];
        assert_eq!((span.events.len(), span.events.dropped_count), (kept, dropped), "{events}");
        assert_eq!(span.events.last().map(|event| event.name.as_ref()), Some("exception"));
        let ordinary = span.events.iter().filter(|event| event.name == "tick").count();
        assert_eq!(ordinary, kept - 1);
    }
}

struct Slow;

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[span]
fn request() -> Result<u8, String> {
    let _slow = Slow;
    #[span("queue")]
    let place = {
        submit()?;
        7
    };
    Ok(place)
}

fn submit() -> Result<(), String> {
    Err("full".to_owned())
}

#[test]
fn events_lie_inside_their_span() {
    let recording = record(request);
    let spans = recording.spans();
    assert_eq!(spans.len(), 2);
    for span in spans {
        for event in span.events.iter() {
            assert!(event.timestamp >= span.start_time && event.timestamp <= span.end_time);
        }
    }
    let events = spans.iter().map(|span| span.events.len()).sum::<usize>();
    assert_eq!(events, 1, "one error is one event");
}

#[span]
fn outer() -> Result<u8, String> {
    let value = middle()?;
    Ok(value)
}

#[span]
fn middle() -> Result<u8, String> {
    #[span("block")]
    {
        request()?;
    }
    Ok(1)
}

#[test]
fn every_span_that_an_error_passes_says_why() {
    let recording = record(outer);
    let names: Vec<_> = recording.spans().iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["outer", "middle", "block", "request", "queue"]);
    for span in recording.spans() {
        assert_eq!(span.status, opentelemetry::trace::Status::error("full"), "{}", span.name);
        assert_eq!(attribute(span, "error.type"), ["alloc::string::String"], "{}", span.name);
    }
}

#[span(error.type = "timeout")]
fn typed_at_its_start() -> Result<(), String> {
    Err("late".to_owned())
}

#[span]
fn typed_in_its_body() -> Result<(), String> {
    spandrel::current().set("error.type", "timeout");
    Err("late".to_owned())
}

#[span]
fn typed_for_a_panic() {
    spandrel::current().set("error.type", "timeout");
    panic!("late");
}

#[test]
fn an_error_type_that_the_program_has_set_stays() {
    let typed_for_a_panic = || {
        let _ = std::panic::catch_unwind(typed_for_a_panic);
    };
    for recording in [
        record(typed_at_its_start).to_string(),
        record(typed_in_its_body).to_string(),
        record(typed_for_a_panic).to_string(),
    ] {
        let line = recording.lines().next().expect("a line");
        assert!(line.ends_with("error.type=\"timeout\" ✗ late"), "{recording}");
    }
    let plain = record(|| ticks(0)).to_string();
    assert!(plain.starts_with("ticks error.type=\"alloc::string::String\""), "{plain}");
}

#[span]
fn sets_often() {
    for step in 0..2000 {
        spandrel::current().set("step", step);
    }
    spandrel::current().set("last", true);
}

#[test]
fn a_key_that_is_set_often_is_one_attribute() {
    let recording = record(sets_often);
    let span = &recording.spans()[0];
    assert_eq!(
        (attribute(span, "step"), attribute(span, "last")),
        (vec!["1999".to_owned()], vec!["true".to_owned()])
    );
    assert_eq!(span.dropped_attributes_count, 0);
}

#[span]
fn numbers(fails: bool) -> impl futures::Stream<Item = Result<u8, String>> {
    futures::stream::iter([Ok(1), if fails { Err("two".to_owned()) } else { Ok(2) }, Ok(3)])
}

#[tokio::test]
async fn a_stream_that_is_dropped_after_an_error_has_failed() {
    let takes_two = |fails| async move {
        let mut stream = Box::pin(numbers(fails));
        let _ = (stream.next().await, stream.next().await);
    };
    let failed = record_async(takes_two(true)).await;
    let span = &failed.spans()[0];
    assert_eq!(span.status, opentelemetry::trace::Status::error("two"));
    assert_eq!(attribute(span, "spandrel.cancelled"), Vec::<String>::new());
    let cancelled = record_async(takes_two(false)).await;
    assert_eq!(attribute(&cancelled.spans()[0], "spandrel.cancelled"), ["true"]);
}

/// By OpenTelemetry's own interface to the current span.
#[span]
fn by_hand() {
    use opentelemetry::Context;
    use opentelemetry::trace::TraceContextExt;

    let context = Context::current();
    (0..200).for_each(|step| context.span().set_attribute(KeyValue::new("step", step)));
    (0..200).for_each(|_| context.span().add_event("tick", Vec::new()));
    context.span().add_event("exception", Vec::new());
}

#[test]
fn the_limits_hold_for_open_telemetry_s_interface_too() {
    let recording = record(by_hand);
    let span = &recording.spans()[0];
    assert_eq!(attribute(span, "step"), ["199"]);
    assert_eq!((span.events.len(), span.events.dropped_count), (128, 73));
    assert_eq!(span.events.last().map(|event| event.name.as_ref()), Some("exception"));
}
