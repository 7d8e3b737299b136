//! `bench`: what the app costs and what its spans are worth, as Markdown. Each part is a process of
//! its own, with a collector in another one: this.

#![allow(clippy::cast_precision_loss, reason = "counts, all small")]

mod agreement;
mod cost;
mod first;
mod serving;
mod truth;

use std::io;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use crate::backend;

/// Measures what pictures and their spans cost.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What is measured [default: everything]
    part: Option<Part>,
    /// How often each way is taken; medians are told
    #[arg(long, default_value = "9")]
    rounds: NonZeroUsize,
    #[command(flatten)]
    backend: backend::Arguments,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Part {
    /// The first pictures of a process that has warmed up
    First,
    /// And of one that has not
    FirstWithoutWarmUp,
    /// Whether the pictures are the CPU's
    Agreement,
    /// Whether the spans tell the truth about the device
    Truth,
    /// What spans cost
    Cost,
    /// How many pictures the server draws
    Serving,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(transparent)]
    Model(#[from] text_to_image::Error),
    #[error("the server did not answer: {0}")]
    Request(#[from] reqwest::Error),
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    System(#[from] io::Error),
}

pub(crate) fn run(arguments: Arguments) -> Result<(), BenchError> {
    let Arguments { part, rounds, backend } = arguments;
    let Some(part) = part else { return everything() };
    let backend = backend.open()?;
    match part {
        Part::First => first::run(&backend, true),
        Part::FirstWithoutWarmUp => first::run(&backend, false),
        Part::Agreement => agreement::run(&backend),
        Part::Truth => truth::run(&backend, rounds.get()),
        Part::Cost => cost::run(&backend, rounds.get()),
        Part::Serving => serving::run(&backend),
    }
}

/// Every part with the arguments of this process; all run, though one fails.
#[tokio::main]
async fn everything() -> Result<(), BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let collector = Router::new().route("/v1/traces", post(async || StatusCode::OK));
    tokio::spawn(axum::serve(listener, collector).into_future());
    let mut failed = Vec::new();
    for part in Part::value_variants() {
        let Some(name) = part.to_possible_value() else { continue };
        let mut child = Command::new(std::env::current_exe()?);
        child.args(std::env::args_os().skip(1)).arg(name.get_name());
        child.env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint).stderr(Stdio::inherit());
        // What was compiled and tuned by the part before is not found.
        let home = std::env::temp_dir().join(format!("bench-{}-{part:?}", std::process::id()));
        child.env("HOME", &home).env("XDG_CACHE_HOME", &home).env("XDG_CONFIG_HOME", &home);
        let output = tokio::task::spawn_blocking(move || child.output()).await;
        let output = output.map_err(io::Error::other)??;
        println!("{}", String::from_utf8_lossy(&output.stdout));
        if !output.status.success() {
            failed.push(name.get_name().to_owned());
        }
        let _ = std::fs::remove_dir_all(home);
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(BenchError::Failed(format!("failed: {}; what they said is above", failed.join(", "))))
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
