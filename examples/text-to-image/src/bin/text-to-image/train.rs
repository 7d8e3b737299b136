//! `train`: the weights that the next build contains.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use text_to_image::train::{Options, Score, Test, Trainer};
use text_to_image::{Error, Pipeline};

use crate::backend;

/// Checkpoints are scored by every so many pictures.
const SAMPLE: usize = 34;

/// Trains the model, and writes the weights that the next build contains.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The step at which training ends
    #[arg(long, default_value = "24000")]
    steps: NonZeroUsize,
    /// Pictures a step, made up to as many for each thread
    #[arg(long, default_value = "32")]
    batch: NonZeroUsize,
    /// Threads that share a step; a GPU wants one
    #[arg(long, default_value = "2")]
    threads: NonZeroUsize,
    /// The highest learning rate
    #[arg(long, default_value_t = 1.5e-3)]
    rate: f64,
    /// Chooses first weights, batches and noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where checkpoints go
    #[arg(long, default_value = "checkpoints")]
    checkpoints: PathBuf,
    /// Steps from one checkpoint, and score, to the next
    #[arg(long, default_value = "500")]
    every: NonZeroUsize,
    /// Goes on from the last checkpoint
    #[arg(long)]
    resume: bool,
    /// Does not train: draws with the weights of this build and scores them
    #[arg(long)]
    score: bool,
    /// Where the weights go
    #[arg(long, default_value = "weights/emoji.bpk")]
    out: PathBuf,
    #[command(flatten)]
    backend: backend::Arguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let backend = arguments.backend.open()?;
    if arguments.score {
        return report(&arguments.checkpoints, &Pipeline::load(&backend)?, 1);
    }
    let &Arguments { steps, batch, threads, every, rate, seed, .. } = arguments;
    let [steps, batch, threads, every] = [steps, batch, threads, every].map(NonZeroUsize::get);
    let mut trainer = Trainer::new(Options { steps, batch, threads, rate, seed }, &backend)?;
    if arguments.resume {
        trainer = trainer.resume(&arguments.checkpoints)?;
    }
    println!("{} parameters, from step {}", trainer.parameters(), trainer.done());
    let bar = bar(steps, trainer.done());
    let mut mean = f32::NAN;
    while trainer.done() < steps {
        let loss = trainer.step()?;
        mean = if mean.is_nan() { loss } else { 0.98 * mean + 0.02 * loss };
        bar.inc(1);
        bar.set_message(format!("loss {mean:.4}"));
        if trainer.done() % every == 0 || trainer.done() == steps {
            trainer.save(&arguments.checkpoints)?;
            bar.suspend(|| {
                println!("step {}: loss {mean:.4}", trainer.done());
                report(&arguments.checkpoints, &trainer.pipeline(), SAMPLE)
            })?;
        }
    }
    trainer.export(&arguments.out)
}

fn bar(steps: usize, done: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64).with_position(done as u64);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} {elapsed}, {eta} to go");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Prints the scores, and writes what was drawn into the folder.
fn report(folder: &Path, pipeline: &Pipeline, sample: usize) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
    let tests =
        [(Test::Names, "names"), (Test::Backgrounds, "backgrounds"), (Test::Paints, "paints")];
    for (test, name) in tests {
        let score = Score::of(pipeline, test, sample)?;
        let ((right, all), distance) = (score.right(), score.distance);
        println!("  {name}: {right} of {all} right, distance {distance:.5}");
        for (prompt, found) in &score.wrong {
            println!("    {prompt} looks like {found}");
        }
        score.save_sheet(&folder.join(format!("{name}.png")))?;
    }
    Ok(())
}
