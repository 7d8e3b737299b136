//! What spans cost a picture of 20 steps, which has 21.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use spandrel::device::{Measurement, Timing};
use spandrel::{Config, span};
use text_to_image::{Backend, Denoising, Error, Picture, Pipeline, Request};

use super::{BenchError, median};

const STEPS: usize = 20;
/// How long one way is taken before the next one.
const TURN: Duration = Duration::from_secs(1);

/// One picture, with spans or without.
type Way = fn(Denoising<'_>, &Device) -> Result<Vec<Picture>, Error>;

const WAYS: [(&str, bool, Way); 6] = [
    ("no annotations", false, bare),
    ("spans with `device`, off", false, timed),
    ("spans without `device`, off", false, plain),
    ("spans without `device`", true, plain),
    ("spans with `device`", true, timed),
    ("spans that synchronise", true, waiting),
];

pub(super) fn run(backend: &Backend, rounds: usize) -> Result<(), BenchError> {
    let pipeline = Pipeline::load(backend)?;
    let request = Request::new(pipeline.prompt("red heart")?, 7, 2.0)?;
    let draw =
        |way: Way| way(pipeline.start(std::slice::from_ref(&request), STEPS)?, backend.device());
    draw(bare)?;
    let mut rates = vec![Vec::new(); WAYS.len()];
    for _ in 0..rounds {
        for ((_, traced, way), rates) in WAYS.iter().zip(&mut rates) {
            let app = traced.then(|| spandrel::install(Config::new("bench")));
            draw(*way)?;
            let (begin, mut pictures) = (Instant::now(), 0);
            while begin.elapsed() < TURN {
                draw(*way)?;
                pictures += 1;
            }
            rates.push(f64::from(pictures) / begin.elapsed().as_secs_f64());
            drop(app);
        }
    }
    println!("| one picture at a time, {STEPS} steps | pictures a second | of the first |");
    println!("| --- | --- | --- |");
    for ((name, ..), row) in WAYS.iter().zip(&rates) {
        // Within a round, so that what drifts from one to the next does not count.
        let shares = row.iter().zip(&rates[0]).map(|(rate, first)| rate / first);
        println!("| {name} | {:.2} | {:.4} |", median(row.iter().copied()), median(shares));
    }
    Ok(())
}

fn bare(mut making: Denoising<'_>, _: &Device) -> Result<Vec<Picture>, Error> {
    while making.remaining() > 0 {
        making.step();
    }
    making.finish()
}

#[span("inference")]
fn plain(mut making: Denoising<'_>, _: &Device) -> Result<Vec<Picture>, Error> {
    while making.remaining() > 0 {
        #[span("denoise-step")]
        making.step();
    }
    making.finish()
}

#[span("inference", device(spandrel_burn::of(device)))]
fn timed(mut making: Denoising<'_>, device: &Device) -> Result<Vec<Picture>, Error> {
    while making.remaining() > 0 {
        #[span("denoise-step", device(spandrel_burn::of(device)))]
        making.step();
    }
    making.finish()
}

#[span("inference", device(Waited(device.clone())))]
fn waiting(mut making: Denoising<'_>, device: &Device) -> Result<Vec<Picture>, Error> {
    while making.remaining() > 0 {
        #[span("denoise-step", device(Waited(device.clone())))]
        making.step();
    }
    making.finish()
}

/// As a device that can only be waited for.
struct Waited(Device);

impl spandrel::Device for Waited {
    type Window = Device;

    fn name(&self) -> Cow<'_, str> {
        "waited for".into()
    }

    fn start(&self) -> Device {
        self.0.clone()
    }

    fn finish(device: Device) -> Timing {
        match device.sync() {
            Ok(()) => Timing::synchronized(Measurement::default()),
            Err(_) => Timing::unmeasured(),
        }
    }
}
