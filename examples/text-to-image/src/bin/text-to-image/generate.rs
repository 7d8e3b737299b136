//! `generate`: pictures as files, and their trace.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use spandrel::{TraceContext, TraceId, propagate, span, traced_app};
use text_to_image::{Backend, Error, MAX_PICTURES, Picture, Request};

use crate::backend;
use crate::model::{Model, Progress};

/// Each pixel of the model becomes a square of as many pixels in the file.
const SCALE: usize = 4;

/// Draws a picture for each prompt.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What to draw: `red heart`, `pizza`, `blue cat face on a yellow background`
    #[arg(required = true)]
    prompts: Vec<String>,
    /// How many denoising steps, 1 to 1000
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// How strictly the prompts are followed, 0 to 20
    #[arg(long, default_value_t = 2.0)]
    guidance: f32,
    /// The same seed draws the same picture; each further one has the next seed [default: another
    /// one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// How many pictures are drawn together
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=MAX_PICTURES as i64))]
    batch: u8,
    /// The PNG to write, with a number before the dot when there are several
    #[arg(long, default_value = "picture.png")]
    out: PathBuf,
    /// Writes all pictures into one PNG, eight a row
    #[arg(long)]
    sheet: bool,
    /// Leaves the first picture to wait for kernels to be compiled and tuned
    #[arg(long)]
    no_warm_up: bool,
    #[command(flatten)]
    backend: backend::Arguments,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Error> {
    let backend = arguments.backend.open()?;
    let app = TextToImage::setup(&backend, &arguments)?;
    let input = Input::from(arguments);
    let bar = bar(input.steps * input.prompts.len().div_ceil(input.batch));
    let output = app.run(&input, &|_| bar.inc(1));
    bar.finish_and_clear();
    app.teardown();
    let output = output?;
    if !output.unknown_words.is_empty() {
        let words = output.unknown_words.join(", ");
        eprintln!("text-to-image: words that the model has never seen: {words}");
    }
    for (path, seed) in output.files.iter().zip(input.seed..) {
        println!("{} with seed {seed}, trace {}", path.display(), output.trace_id);
    }
    Ok(())
}

#[derive(Debug)]
struct Input {
    prompts: Vec<String>,
    steps: usize,
    guidance: f32,
    /// Of the first picture.
    seed: u64,
    batch: usize,
    out: PathBuf,
    sheet: bool,
    trace_context: TraceContext,
}

impl From<Arguments> for Input {
    fn from(arguments: Arguments) -> Self {
        let Arguments { prompts, steps, guidance, seed, batch, out, sheet, .. } = arguments;
        let seed = seed.unwrap_or_else(seed_from_clock);
        let trace_context = caller();
        Self { prompts, steps, guidance, seed, batch: batch.into(), out, sheet, trace_context }
    }
}

#[derive(Debug)]
struct Output {
    files: Vec<PathBuf>,
    unknown_words: Vec<String>,
    trace_id: TraceId,
}

#[derive(Debug)]
struct TextToImage {
    model: Model,
}

#[traced_app("text-to-image", backend = backend.name())]
impl TextToImage {
    fn setup(backend: &Backend, arguments: &Arguments) -> Result<Self, Error> {
        let model = Model::load(backend)?;
        if !arguments.no_warm_up {
            model.warm_up(arguments.prompts.len().min(arguments.batch.into()))?;
        }
        Ok(Self { model })
    }

    #[propagate(input.trace_context)]
    #[span(
        "text-to-image",
        kind(server),
        model.name = Model::NAME,
        prompt.count = input.prompts.len(),
        prompt.length = input.prompts.iter().map(String::len).sum::<usize>(),
        num_inference_steps = input.steps,
        guidance_scale = input.guidance,
    )]
    fn run(&self, input: &Input, progress: Progress<'_>) -> Result<Output, Error> {
        let mut unknown_words = Vec::new();
        let mut requests = Vec::with_capacity(input.prompts.len());
        for (text, seed) in input.prompts.iter().zip(input.seed..) {
            let prompt = self.model.prompt(text)?;
            unknown_words.extend_from_slice(prompt.unknown());
            requests.push(Request::new(prompt, seed, input.guidance)?);
        }
        let mut pictures = Vec::with_capacity(requests.len());
        for requests in requests.chunks(input.batch) {
            pictures.append(&mut self.model.draw(requests, input.steps, progress)?);
        }
        let files = upload(&pictures, &input.out, input.sheet)?;
        Ok(Output { files, unknown_words, trace_id: spandrel::current_trace_id() })
    }
}

#[span("upload", file.path = out, file.count = if sheet { 1 } else { pictures.len() })]
fn upload(pictures: &[Picture], out: &Path, sheet: bool) -> Result<Vec<PathBuf>, Error> {
    if sheet {
        Picture::save_sheet(pictures, 8, out)?;
        return Ok(vec![out.to_owned()]);
    }
    let mut files = Vec::with_capacity(pictures.len());
    for (number, picture) in (1..).zip(pictures) {
        let path = if pictures.len() == 1 { out.to_owned() } else { numbered(out, number) };
        picture.save(&path, SCALE)?;
        files.push(path);
    }
    Ok(files)
}

/// `picture.png` as `picture-7.png`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let [stem, extension] =
        [path.file_stem(), path.extension()].map(|part| part.unwrap_or_default().display());
    let dot = if path.extension().is_some() { "." } else { "" };
    path.with_file_name(format!("{stem}-{number}{dot}{extension}"))
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

fn bar(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} step {pos} of {len}, {elapsed}");
    ProgressBar::new(steps as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Small, so that it is easily typed again.
fn seed_from_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_micros())
}
