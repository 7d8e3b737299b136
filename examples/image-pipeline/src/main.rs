//! Draws a picture with two services, and their one trace:
//!
//! ```text
//! cargo run --release -p image-pipeline -- "red heart"
//! ```

mod error;
mod http;
mod messages;
mod model;
mod pipeline;
mod process;
mod worker;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use collector::Collector;
use spandrel::TraceContext;

use error::Error;
use messages::{Input, Output};
use process::Process;

/// Draws a 64×64 picture from a few words, with two services.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Command {
    #[command(flatten)]
    picture: Option<Wanted>,
    #[command(subcommand)]
    service: Option<Service>,
}

#[derive(Args, Debug)]
struct Wanted {
    /// What to draw: `red heart`, `pizza`, `cat face`
    prompt: String,
    /// How many denoising steps, 1 to 1000
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// How strictly the prompt is followed, 0 to 20
    #[arg(long, default_value_t = 2.0)]
    guidance: f32,
    /// The same seed draws the same picture [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// The PNG to write
    #[arg(long, default_value = "picture.png")]
    out: PathBuf,
}

/// What this command starts.
#[derive(Debug, Subcommand)]
enum Service {
    #[command(hide = true)]
    ServePipeline { worker: String },
    #[command(hide = true)]
    ServeWorker { store: PathBuf },
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    let done = match (command.service, command.picture) {
        (Some(Service::ServePipeline { worker }), _) => pipeline::serve(worker).await,
        (Some(Service::ServeWorker { store }), _) => worker::serve(store).await,
        (None, Some(wanted)) => draw(wanted).await,
        (None, None) => unreachable!("clap asks for a prompt"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image-pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Both services for one picture.
async fn draw(wanted: Wanted) -> Result<(), Error> {
    let interrupted = spandrel::shutdown_signal();
    let Wanted { prompt, steps, guidance, seed, out } = wanted;
    let (store, key) = place(&out)?;
    let seed = seed.unwrap_or_else(seed_from_clock);
    let input = Input {
        prompt,
        num_inference_steps: steps,
        guidance_scale: guidance,
        seed,
        key: key.to_owned(),
        trace_context: TraceContext::default(),
    };
    let collector = if let Some(endpoint) = endpoint() {
        eprintln!("image-pipeline: spans go to {endpoint}");
        None
    } else {
        Some(Collector::start()?)
    };
    let report_to = collector.as_ref().map(Collector::endpoint);
    let worker = Process::start("serve-worker", store, report_to).await?;
    let pipeline = Process::start("serve-pipeline", &worker.url, report_to).await?;
    let client = http::client()?;
    let drawn = tokio::select! {
        drawn = http::ask(&client, &pipeline.url, &input) => drawn,
        () = interrupted => Err(Error::Interrupted),
    };
    tokio::try_join!(pipeline.stop(), worker.stop())?;
    if let Some(collector) = collector {
        for trace in collector.traces() {
            eprint!("{}", collector.tree(&trace).unwrap_or_default());
        }
    }
    let Output { url, unknown_words, trace_id } = drawn?;
    if !unknown_words.is_empty() {
        let unknown = unknown_words.join(", ");
        eprintln!("image-pipeline: words that the model has never seen: {unknown}");
    }
    println!("{url} with seed {seed}, trace {trace_id}");
    Ok(())
}

/// The worker's store, and the picture's name there.
fn place(out: &Path) -> Result<(&Path, &str), Error> {
    let key = out.file_name().and_then(|name| name.to_str());
    let key = key.ok_or_else(|| Error::Key(out.display().to_string()))?;
    let store = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((store.unwrap_or(Path::new(".")), key))
}

/// Where the user has spans sent to.
fn endpoint() -> Option<String> {
    let variables = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let mut set = variables.into_iter().filter_map(|name| env::var(name).ok());
    set.find(|endpoint| !endpoint.is_empty())
}

/// Small, so that it is easily typed again.
fn seed_from_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_micros())
}
