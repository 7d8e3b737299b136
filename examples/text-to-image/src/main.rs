//! Draws a picture from a few words, and its trace:
//!
//! ```text
//! cargo run --release -p text-to-image -- "red heart" --steps 20 --out heart.png
//! ```

mod app;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use spandrel::TraceContext;
use text_to_image::Error;

use app::{Input, TextToImage};

/// Draws a 32×32 picture from a few words, with a diffusion model.
#[derive(Debug, Parser)]
struct Arguments {
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

fn main() -> ExitCode {
    match draw(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("text-to-image: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(arguments: Arguments) -> Result<(), Error> {
    let Arguments { prompt, steps, guidance, seed, out } = arguments;
    let input = Input {
        prompt,
        num_inference_steps: steps,
        guidance_scale: guidance,
        seed: seed.unwrap_or_else(seed_from_clock),
        out,
        trace_context: caller(),
    };
    let app = TextToImage::setup()?;
    let bar = ProgressBar::new(steps as u64).with_style(style());
    let output = app.run(&input, &|done| {
        bar.set_position(done as u64);
        if done == steps {
            bar.finish_and_clear();
        }
    });
    app.teardown();
    let output = output?;
    if !output.unknown_words.is_empty() {
        eprintln!(
            "text-to-image: words that the model has never seen: {}",
            output.unknown_words.join(", ")
        );
    }
    println!("{} with seed {}, trace {}", input.out.display(), input.seed, output.trace_id);
    Ok(())
}

/// The trace of whoever runs this command, from `TRACEPARENT` and the like, see OpenTelemetry's
/// specification of environment variables as carriers.
fn caller() -> TraceContext {
    let variables = ["TRACEPARENT", "TRACESTATE", "BAGGAGE"];
    variables
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} step {pos} of {len}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Small, so that it is easily typed again.
fn seed_from_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_micros())
}
