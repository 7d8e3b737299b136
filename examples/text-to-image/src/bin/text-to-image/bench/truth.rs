//! Whether a span says how long the device worked, which is what a clock beside it says: the host's,
//! from one standstill of the device to the next.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use opentelemetry_sdk::trace::SpanData;
use spandrel::span;
use spandrel::testing::record;
use text_to_image::{Backend, Denoising, Error, Pipeline, Request};

use super::{BenchError, median};

/// How far the two may be apart, as a share of the clock's time.
const TOLERANCE: f64 = 0.02;
const PICTURES: usize = 16;
const STEPS: usize = 20;

pub(super) fn run(backend: &Backend, rounds: usize) -> Result<(), BenchError> {
    let pipeline = Pipeline::load(backend)?;
    let device = backend.device();
    let request = |seed| Request::new(pipeline.prompt("red heart")?, seed, 2.0);
    let requests = (0..PICTURES as u64).map(request).collect::<Result<Vec<_>, Error>>()?;
    let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
    // In the first round kernels are compiled and tuned.
    for round in 0..=rounds {
        let mut seen = Vec::new();
        let (clock, spans) = watch(device, || pipeline.start(&requests, STEPS).map(plain))?;
        seen.push(("the host's clock".to_owned(), clock));
        seen.extend(spans.iter().map(|span| ("a span without `device`".to_owned(), length(span))));
        let (clock, spans) =
            watch(device, || pipeline.start(&requests, STEPS).map(|making| timed(making, device)))?;
        seen.push(("the host's clock, again".to_owned(), clock));
        let whole = spans.iter().find(|span| span.name == "denoise");
        let steps = spans.iter().filter(|span| span.name == "denoise-step");
        if let Some(span) = whole {
            let how = text(span, "spandrel.device.timing");
            seen.push((format!("a span with `device`, by {how}: its duration"), length(span)));
            seen.push(("its device time".to_owned(), device_time(span)));
        }
        let steps = steps.map(device_time).sum();
        seen.push((format!("the device times of its {STEPS} steps, together"), steps));
        if round > 0 {
            rows.resize_with(seen.len(), Default::default);
            for (row, (name, time)) in rows.iter_mut().zip(seen) {
                row.0 = name;
                row.1.push(time);
            }
        }
    }
    println!("| {PICTURES} pictures, {STEPS} steps | ms | of the clock's |");
    println!("| --- | --- | --- |");
    let mut clock = f64::NAN;
    let mut true_spans = true;
    for (name, times) in rows {
        let time = median(times);
        if name.starts_with("the host") {
            clock = time;
        }
        if time.is_nan() {
            println!("| {name} | not told | |");
        } else {
            println!("| {name} | {:.3} | {:.3} |", time * 1000.0, time / clock);
        }
        true_spans &= !name.contains("by events") || (time / clock - 1.0).abs() <= TOLERANCE;
    }
    if true_spans {
        Ok(())
    } else {
        Err(BenchError::Failed("the span is not as long as the device worked".to_owned()))
    }
}

#[span("denoise")]
fn plain(mut making: Denoising<'_>) -> Denoising<'_> {
    while making.remaining() > 0 {
        making.step();
    }
    making
}

#[span("denoise", device(spandrel_burn::of(device)))]
fn timed<'a>(mut making: Denoising<'a>, device: &Device) -> Denoising<'a> {
    while making.remaining() > 0 {
        #[span("denoise-step", device(spandrel_burn::of(device)))]
        making.step();
    }
    making
}

/// What it takes by the host's clock, and its spans.
fn watch<T>(
    device: &Device,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<(f64, Vec<SpanData>), Error> {
    let still = || device.sync().map_err(|error| Error::Device(error.to_string()));
    still()?;
    let begin = Instant::now();
    let mut clock = Duration::ZERO;
    let mut outcome = Ok(());
    let recording = record(|| {
        outcome = work().and_then(|_| still());
        clock = begin.elapsed();
    });
    outcome.map(|()| (clock.as_secs_f64(), recording.spans().to_vec()))
}

fn length(span: &SpanData) -> f64 {
    span.end_time.duration_since(span.start_time).unwrap_or_default().as_secs_f64()
}

fn device_time(span: &SpanData) -> f64 {
    text(span, "spandrel.device.time").parse().unwrap_or(f64::NAN)
}

fn text(span: &SpanData, key: &str) -> String {
    let value = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    value.map(|attribute| attribute.value.to_string()).unwrap_or_default()
}
