//! The model: it belongs to one thread, which draws one picture after the other.

use std::sync::mpsc;
use std::thread;

use spandrel::{CurrentSpan, span};
use text_to_image::{Backend, Error as Drawing, Picture, Pipeline, Request};
use tokio::sync::oneshot;

use crate::error::Error;
use crate::messages::Input;

/// A picture, and what of its prompt was of no use.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) picture: Picture,
    pub(crate) unknown_words: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Model {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    input: Input,
    /// The span that waits for the picture.
    caller: CurrentSpan,
    answer: oneshot::Sender<Result<Drawn, Error>>,
}

impl Model {
    pub(crate) const NAME: &str = "emoji-64";

    pub(crate) fn load(backend: &Backend) -> Result<Self, Error> {
        let pipeline = Pipeline::load(backend)?;
        let (jobs, waiting) = mpsc::channel();
        thread::Builder::new().name("model".to_owned()).spawn(move || {
            for Job { input, caller, answer } in waiting {
                let _ = answer.send(diffuse(&pipeline, &input, caller));
            }
        })?;
        Ok(Self { jobs })
    }

    pub(crate) async fn draw(&self, input: Input) -> Result<Drawn, Error> {
        let (answer, drawn) = oneshot::channel();
        let job = Job { input, caller: spandrel::current(), answer };
        self.jobs.send(job).map_err(|_| Error::ModelGone)?;
        drawn.await.map_err(|_| Error::ModelGone)?
    }
}

/// The span lasts until the device has drawn.
#[span(
    "diffusion",
    parent(caller),
    device(spandrel_burn::of(pipeline.device())),
    prompt.length = input.prompt.len(),
)]
fn diffuse(pipeline: &Pipeline, input: &Input, caller: CurrentSpan) -> Result<Drawn, Error> {
    let Input { seed, guidance_scale, num_inference_steps, .. } = *input;
    let prompt = pipeline.prompt(&input.prompt)?;
    let unknown_words = prompt.unknown().to_vec();
    let request = Request::new(prompt, seed, guidance_scale)?;
    let mut denoising = pipeline.start(&[request], num_inference_steps)?;
    while denoising.remaining() > 0 {
        denoising.step();
    }
    let picture = denoising.finish()?.pop().ok_or(Drawing::Pictures(0))?;
    Ok(Drawn { picture, unknown_words })
}
