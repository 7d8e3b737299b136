//! `serve`: pictures over HTTP. Requests that wait are drawn together, each in its own trace.

mod failure;
mod images;
mod traces;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Html;
use axum::routing::{get, post};
use clap::Args;
use opentelemetry_instrumentation_tower::http::server::Layer;
use spandrel::traced_app;
use text_to_image::{Backend, Error, MAX_PICTURES};
use tokio::net::TcpListener;

use crate::backend;
use crate::model::Model;
use traces::Traces;
use worker::Worker;

/// A prompt is some words.
const LONGEST_BODY: usize = 16 * 1024;

/// Draws pictures for whoever asks over HTTP, and shows each with its trace.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 is a free one
    #[arg(long, default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// How many pictures are drawn together at most
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=MAX_PICTURES as i64))]
    batch: u8,
    /// How many requests may wait; more are told to come again
    #[arg(long, default_value = "64")]
    queue: NonZeroUsize,
    /// How many steps a request may ask for
    #[arg(long, default_value_t = 100)]
    max_steps: usize,
    /// Leaves the first requests to wait for kernels to be compiled and tuned
    #[arg(long)]
    no_warm_up: bool,
    #[command(flatten)]
    backend: backend::Arguments,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Model(#[from] Error),
    #[error("cannot listen on {0}: {1}; name another address, port 0 is a free one")]
    Listen(SocketAddr, io::Error),
    #[error(transparent)]
    System(#[from] io::Error),
}

#[tokio::main]
pub(crate) async fn run(arguments: Arguments) -> Result<(), ServeError> {
    let backend = arguments.backend.open()?;
    let server = Arc::new(Server::setup(&backend, &arguments, Traces::default())?);
    let outcome = server.clone().listen(arguments.listen).await;
    server.teardown();
    outcome
}

#[derive(Debug)]
struct Server {
    worker: Worker,
    traces: Traces,
    max_steps: usize,
}

#[traced_app("text-to-image", backend = backend.name(), processor(traces.clone()))]
impl Server {
    fn setup(backend: &Backend, arguments: &Arguments, traces: Traces) -> Result<Self, ServeError> {
        let model = Model::load(backend)?;
        let batch = usize::from(arguments.batch);
        if !arguments.no_warm_up {
            model.warm_up(1)?;
            model.warm_up(batch)?;
        }
        let worker = Worker::start(model, batch, arguments.queue)?;
        Ok(Self { worker, traces, max_steps: arguments.max_steps })
    }

    /// Until SIGTERM or SIGINT, and then until every request is answered.
    async fn listen(self: Arc<Self>, address: SocketAddr) -> Result<(), ServeError> {
        let failed = |error| ServeError::Listen(address, error);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        println!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/", get(Html(include_str!("serve/page.html"))))
            .route("/v1/images", post(images::create))
            .route("/v1/traces/{trace_id}", get(traces::show))
            .layer(DefaultBodyLimit::max(LONGEST_BODY))
            // The server's span of each request.
            .layer(Layer::new())
            .with_state(self);
        axum::serve(listener, router).with_graceful_shutdown(spandrel::shutdown_signal()).await?;
        Ok(())
    }
}
