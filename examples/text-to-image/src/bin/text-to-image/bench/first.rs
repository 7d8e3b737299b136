//! What somebody waits for who asks first.

use std::time::Instant;

use text_to_image::{Backend, Request};

use super::BenchError;
use crate::model::Model;

pub(super) fn run(backend: &Backend, warm_up: bool) -> Result<(), BenchError> {
    let begin = Instant::now();
    let model = Model::load(backend)?;
    if warm_up {
        model.warm_up(1)?;
    }
    let ready = begin.elapsed().as_secs_f64();
    let mut pictures = Vec::new();
    for seed in 0..3 {
        let begin = Instant::now();
        let request = Request::new(model.prompt("red heart")?, seed, 2.0)?;
        model.draw(&[request], 20, &|_| {})?;
        pictures.push(begin.elapsed().as_secs_f64());
    }
    println!("| warm-up | ready after, s | first picture, s | second | third |");
    println!("| --- | --- | --- | --- | --- |");
    let [first, second, third] = [pictures[0], pictures[1], pictures[2]];
    println!("| {warm_up} | {ready:.2} | {first:.3} | {second:.3} | {third:.3} |");
    Ok(())
}
