//! `err(…)`: attributes of the error.

use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::recorder::{record, record_async};
use futures::{Stream, StreamExt};
use spandrel::span;

#[derive(Debug)]
struct Refused {
    code: i64,
    retry: bool,
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.code)
    }
}

impl std::error::Error for Refused {}

fn answer(code: i64) -> Result<i64, Refused> {
    if code < 400 { Ok(code) } else { Err(Refused { code, retry: code == 503 }) }
}

/// The attributes of all spans, a line each, but for `error.type`.
fn attributes(body: impl FnOnce()) -> Vec<String> {
    let recording = record(body);
    let line = |span: &opentelemetry_sdk::trace::SpanData| {
        let attributes =
            span.attributes.iter().filter(|attribute| attribute.key.as_str() != "error.type");
        let pairs: Vec<_> = attributes.map(|pair| format!("{}={}", pair.key, pair.value)).collect();
        format!("{} {}", span.name, pairs.join(" ")).trim_end().to_owned()
    };
    recording.spans().iter().map(line).collect()
}

#[span(err(|error| code = error.code, retry = error.retry))]
fn call(code: i64) -> Result<i64, Refused> {
    answer(code)
}

#[span(ok(|code| code = *code), err(|error| code = error.code, text = %error), ret)]
fn both(code: i64) -> Result<i64, Refused> {
    answer(code)
}

#[span(error_if(|error| error.code >= 500), err(|error| code = error.code))]
fn server(code: i64) -> Result<i64, Refused> {
    answer(code)
}

#[span(err(|Refused { code, .. }| code = *code))]
async fn later(code: i64) -> Result<i64, Refused> {
    answer(code)
}

#[span(err(|error| code = error.code))]
fn each() -> impl Stream<Item = Result<i64, Refused>> {
    futures::stream::iter([200, 404].map(answer))
}

#[span]
fn blocks(code: i64) -> Result<i64, Refused> {
    let value = #[span("tried", err(|error| code = error.code))]
    answer(code)?;
    Ok(value)
}

#[span]
fn value_of_a_block(code: i64) -> i64 {
    let result: Result<i64, Refused> = #[span("value", err(|error| code = error.code))]
    {
        answer(code)
    };
    result.unwrap_or_default()
}

#[span]
fn counted(code: i64) -> Result<i64, Refused> {
    #[span("counted", error_if(|error| error.code >= 500), err(|error| code = error.code))]
    answer(code)?;
    Ok(code)
}

#[test]
fn errors_are_described() {
    assert_eq!(attributes(|| drop(call(200))), ["call"]);
    assert_eq!(attributes(|| drop(call(503))), ["call code=503 retry=true"]);
    assert_eq!(attributes(|| drop(both(200))), ["both code=200 return=200"]);
    assert_eq!(attributes(|| drop(both(404))), ["both code=404 text=refused with 404"]);
}

#[test]
fn what_is_no_failure_is_not_described() {
    assert_eq!(attributes(|| drop(server(404))), ["server"]);
    assert_eq!(attributes(|| drop(server(503))), ["server code=503"]);
    assert_eq!(attributes(|| drop(counted(404))), ["counted", "counted"]);
    assert_eq!(attributes(|| drop(counted(503))), ["counted", "counted code=503"]);
}

#[tokio::test]
async fn errors_of_futures_and_streams_are_described() {
    let recording = record_async(async {
        drop(later(404).await);
        drop(each().collect::<Vec<_>>().await);
    })
    .await;
    let text = recording.to_string();
    assert_eq!(text.matches("code=404").count(), 2, "{text}");
}

#[test]
fn errors_of_blocks_are_described() {
    assert_eq!(attributes(|| drop(blocks(200))), ["blocks", "tried"]);
    assert_eq!(attributes(|| drop(blocks(404))), ["blocks", "tried code=404"]);
    assert_eq!(attributes(|| _ = value_of_a_block(404)), ["value_of_a_block", "value code=404"]);
}

#[test]
fn nothing_is_evaluated_where_nothing_records() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);

    #[span(err(|error| code = evaluated(error.code)))]
    fn fails() -> Result<i64, Refused> {
        answer(404)
    }

    fn evaluated(code: i64) -> i64 {
        EVALUATED.fetch_add(1, Ordering::Relaxed);
        code
    }

    assert!(fails().is_err());
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 0);
    assert_eq!(attributes(|| drop(fails())), ["fails code=404"]);
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 1);
}
