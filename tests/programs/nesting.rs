//! Spans by `tracing`, a library's and the program's, over and under ours.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response};
use spandrel::{span, traced_app};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::trace::TraceLayer;
use tracing::{Instrument, instrument};

#[tokio::main]
#[traced_app("nesting", logs)]
async fn main() {
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "sync" => first(),
        "async" => first_async().await,
        "mixed" => {
            let outer = tracing::info_span!("outer");
            (0..3).for_each(|_| outer.in_scope(ours));
            tokio::spawn(first_async().instrument(outer)).await.expect("it runs");
        }
        "errors" => {
            let _ = refused();
            let _ = fails();
        }
        "library" => call().await,
        "roots" => roots(),
        _ => {
            interrupted();
        }
    }
}

#[span]
fn first() {
    second();
}

#[instrument]
fn second() {
    third();
}

#[span]
fn third() {
    tracing::info_span!("fourth").in_scope(|| tracing::info!("at the bottom"));
}

#[span]
async fn first_async() {
    tokio::task::yield_now().await;
    tokio::join!(second_async(1), second_async(2));
}

#[instrument]
async fn second_async(which: u64) {
    tokio::time::sleep(Duration::from_millis(which)).await;
    third_async().await;
    tokio::task::yield_now().await;
}

#[span]
async fn third_async() {
    tokio::task::yield_now().await;
    fourth_async().await;
}

#[instrument]
async fn fourth_async() {
    tokio::task::yield_now().await;
    log::info!("at the bottom");
}

#[span]
fn ours() {}

#[instrument(err)]
fn refused() -> Result<(), &'static str> {
    tolerant();
    Err("refused")
}

/// An error inside of it is in the log; it does not fail.
#[span]
fn tolerant() {
    tracing::error!("not that bad");
}

#[instrument]
fn fails() -> Result<(), &'static str> {
    failing()
}

#[span]
fn failing() -> Result<(), &'static str> {
    Err("failed")
}

#[span]
async fn call() {
    let service =
        ServiceBuilder::new().layer(TraceLayer::new_for_http()).service(service_fn(serve));
    service.oneshot(Request::new(String::new())).await.expect("it answers");
}

#[span]
async fn serve(_: Request<String>) -> Result<Response<String>, Infallible> {
    tokio::task::yield_now().await;
    Ok(Response::new(String::new()))
}

/// What no filter opens, what has no parent, and what nobody wants to know of.
#[span]
fn roots() {
    tracing::debug_span!("detail").in_scope(ours);
    tracing::info_span!(parent: None, "root").in_scope(ours);
    let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
    tracing::info_span!(parent: None, "suppressed").in_scope(ours);
}

#[instrument]
fn interrupted() {
    println!("waiting");
    std::thread::sleep(Duration::from_secs(30));
}
