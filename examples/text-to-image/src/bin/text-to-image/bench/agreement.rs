//! Whether another device draws what the CPU draws.

use text_to_image::{Backend, Error, Picture, Request};

use super::BenchError;
use crate::model::Model;

const PROMPTS: [&str; 8] = [
    "red heart",
    "pizza",
    "cat face",
    "blue dog face",
    "rocket",
    "green apple on a yellow background",
    "sun",
    "tiger face",
];

/// The greatest mean squared difference of two pictures, a channel being 0 to 1, in single precision
/// and in half of it.
const TOLERANCES: [f32; 2] = [0.001, 0.01];

pub(super) fn run(backend: &Backend) -> Result<(), BenchError> {
    let expected = draw(&Backend::cpu())?;
    println!("| on {} | mean difference from the CPU | greatest | at most |", backend.name());
    println!("| --- | --- | --- | --- |");
    let mut agrees = true;
    let ways = [backend.clone().in_single_precision(), backend.clone()];
    for ((way, name), most) in ways.iter().zip(["single precision", "as served"]).zip(TOLERANCES) {
        let drawn = draw(way)?;
        let pairs = expected.iter().zip(&drawn);
        let differences: Vec<f32> = pairs.map(|(a, b)| a.distance(b)).collect();
        let mean = differences.iter().sum::<f32>() / differences.len() as f32;
        let greatest = differences.iter().copied().fold(0.0, f32::max);
        println!("| {name} | {mean:.6} | {greatest:.6} | {most} |");
        agrees &= greatest <= most;
    }
    if agrees {
        Ok(())
    } else {
        Err(BenchError::Failed("the pictures are not the CPU's; see the table".to_owned()))
    }
}

fn draw(backend: &Backend) -> Result<Vec<Picture>, Error> {
    let model = Model::load(backend)?;
    let requests =
        PROMPTS.iter().zip(0..).map(|(text, seed)| Request::new(model.prompt(text)?, seed, 2.0));
    model.draw(&requests.collect::<Result<Vec<_>, _>>()?, 20, &|_| {})
}
