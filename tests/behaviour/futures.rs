//! Spans of futures: current while polled, never between.

use std::future::Future;
use std::time::Duration;

use crate::recorder::record_async;
use spandrel::span;

#[span("step", number = number)]
async fn step(number: u32) -> Result<u32, String> {
    tokio::task::yield_now().await;
    if number == 3 {
        return Err("three".to_owned());
    }
    Ok(number)
}

#[span("all", kind(server))]
async fn all(numbers: &[u32]) -> Result<u32, String> {
    let mut sum = 0;
    for number in numbers {
        sum += step(*number).await?;
    }
    Ok(sum)
}

#[tokio::test]
async fn an_async_function_is_a_span() {
    let recording = record_async(all(&[1, 2])).await;
    assert_eq!(recording.to_string(), "all [server]\n├─ step number=1\n└─ step number=2\n");
}

#[tokio::test]
async fn an_error_marks_both_spans() {
    let failed = "error.type=\"alloc::string::String\" ✗ three\n";
    let tree = format!(
        "all [server] {failed}└─ step number=3 {failed}     • exception \
         exception.type=\"alloc::string::String\" exception.message=\"three\"\n"
    );
    assert_eq!(record_async(all(&[3])).await.to_string(), tree);
}

#[tokio::test]
async fn spans_that_run_together_do_not_mix() {
    let recording = record_async(async {
        let (one, two) = tokio::join!(all(&[1]), all(&[2]));
        assert_eq!((one, two), (Ok(1), Ok(2)));
    })
    .await;
    let mut roots: Vec<_> = recording.to_string().split("all").map(str::to_owned).collect();
    roots.sort();
    let branch = |number| format!(" [server]\n└─ step number={number}\n");
    assert_eq!(roots, [String::new(), branch(1), branch(2)]);
}

#[span("forever")]
async fn forever() {
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_future_that_is_dropped_is_cancelled() {
    let recording = record_async(async {
        let limit = Duration::from_millis(1);
        tokio::time::timeout(limit, forever()).await.expect_err("it takes forever");
        assert_eq!(spandrel::current_trace_id(), spandrel::TraceId::INVALID);
    })
    .await;
    assert_eq!(recording.to_string(), "forever spandrel.cancelled=true\n");
}

#[span("explodes")]
async fn explodes() {
    tokio::task::yield_now().await;
    panic!("in a task");
}

#[tokio::test]
async fn a_panic_in_a_task_is_recorded_there() {
    use opentelemetry::trace::FutureExt;
    let recording = record_async(async {
        let task = tokio::spawn(explodes().with_current_context());
        task.await.expect_err("panics");
    })
    .await;
    let tree = recording.to_string();
    assert!(tree.starts_with("explodes error.type=\"panic\" ✗ in a task\n  • exception"), "{tree}");
}

#[span("returned", input = input)]
fn returned(input: u32) -> impl Future<Output = Result<u32, String>> + Send {
    let doubled = input * 2;
    async move {
        step(doubled).await?;
        Ok(doubled)
    }
}

#[tokio::test]
async fn a_returned_future_is_in_the_span() {
    let recording = record_async(async { assert_eq!(returned(2).await, Ok(4)) }).await;
    assert_eq!(recording.to_string(), "returned input=2\n└─ step number=4\n");
}

struct Service;

impl Service {
    #[span("method")]
    async fn method(&mut self, words: Vec<String>) -> impl Iterator<Item = usize> + use<> {
        words.into_iter().map(|word| word.len())
    }
}

trait Greets {
    async fn greet(&self) -> &'static str;
}

impl Greets for Service {
    #[span("greet")]
    async fn greet(&self) -> &'static str {
        tokio::task::yield_now().await;
        "hello"
    }
}

#[tokio::test]
async fn async_methods_are_spans() {
    let recording = record_async(async {
        let words = Service.method(vec!["one".to_owned()]).await;
        assert_eq!(words.collect::<Vec<_>>(), [3]);
        assert_eq!(Service.greet().await, "hello");
    })
    .await;
    assert_eq!(recording.to_string(), "method\ngreet\n");
}

#[test]
fn send_stays_send() {
    fn check<T: Send>(_: T) {}
    check(all(&[1]));
    check(returned(1));
}

#[span("opaque")]
async fn opaque(fails: bool) -> Result<impl std::fmt::Display, String> {
    if fails {
        return Err("opaque".to_owned());
    }
    Ok(5)
}

#[span("never")]
async fn never() -> ! {
    std::future::pending::<()>().await;
    unreachable!("it waits forever")
}

#[tokio::test]
async fn types_that_cannot_be_written_down_are_no_obstacle() {
    let recording = record_async(async {
        assert!(opaque(true).await.is_err());
        let limit = Duration::from_millis(1);
        tokio::time::timeout(limit, never()).await.expect_err("it takes forever");
    })
    .await;
    let tree = recording.to_string();
    assert!(tree.starts_with("opaque error.type=\"alloc::string::String\" ✗ opaque\n"), "{tree}");
    assert!(tree.ends_with("never spandrel.cancelled=true\n"), "{tree}");
}

#[span("holds")]
async fn holds() {
    let mut other = Box::pin(forever());
    std::future::poll_fn(|task| {
        assert!(other.as_mut().poll(task).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    panic!("while it holds another");
}

#[tokio::test]
async fn a_future_that_a_panic_drops_is_cancelled_and_not_to_blame() {
    use opentelemetry::trace::FutureExt;
    let recording = record_async(async {
        tokio::spawn(holds().with_current_context()).await.expect_err("panics");
    })
    .await;
    let tree = recording.to_string();
    assert!(tree.starts_with("holds error.type=\"panic\" ✗ while it holds another\n"), "{tree}");
    assert!(tree.ends_with("└─ forever spandrel.cancelled=true\n"), "{tree}");
}
