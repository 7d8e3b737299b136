use spandrel::span;

struct Gpu;

#[span(device(gpu))]
fn launch(gpu: Gpu) {}

#[span("copy", device(gpu.clone()))]
fn copy(gpu: &u64) {}

#[span(device)]
fn nothing() {}

#[span(device())]
fn empty() {}

fn main() {}
