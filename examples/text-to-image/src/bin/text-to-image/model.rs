//! The model on its device, and what of its work is traced.

use burn::tensor::Device;
use spandrel::span;
use text_to_image::{Backend, Error, Picture, Pipeline, Prompt, Request};

/// Told how many steps are done, after each.
pub(crate) type Progress<'a> = &'a dyn Fn(usize);

#[derive(Debug)]
pub(crate) struct Model {
    pipeline: Pipeline,
    device: Device,
}

impl Model {
    pub(crate) const NAME: &str = "emoji-64";

    pub(crate) fn load(backend: &Backend) -> Result<Self, Error> {
        Ok(Self { pipeline: Pipeline::load(backend)?, device: backend.device().clone() })
    }

    pub(crate) fn prompt(&self, text: &str) -> Result<Prompt, Error> {
        self.pipeline.prompt(text)
    }

    /// The first step of each size of batch is a slow one: kernels are compiled and tuned in it.
    #[span("warmup", device(spandrel_burn::of(&self.device)), model.name = Self::NAME, batch.size = pictures)]
    pub(crate) fn warm_up(&self, pictures: usize) -> Result<(), Error> {
        let prompt = self.pipeline.prompt("red heart")?;
        let request = Request::new(prompt, 0, 2.0)?;
        let mut denoising = self.pipeline.start(&vec![request; pictures], 1)?;
        denoising.step();
        denoising.finish().map(drop)
    }

    /// Draws pictures together. The spans last until the device has done their work.
    #[span(
        "inference",
        device(spandrel_burn::of(&self.device)),
        num_inference_steps = steps,
        batch.size = requests.len(),
    )]
    pub(crate) fn draw(
        &self,
        requests: &[Request],
        steps: usize,
        progress: Progress<'_>,
    ) -> Result<Vec<Picture>, Error> {
        let mut denoising = self.pipeline.start(requests, steps)?;
        for number in 1..=steps {
            #[span("denoise-step", device(spandrel_burn::of(&self.device)), number = number)]
            denoising.step();
            progress(number);
        }
        denoising.finish()
    }
}
