//! The app: what it does for one prompt, and what of that is traced.

use std::path::PathBuf;

use spandrel::{TraceContext, TraceId, propagate, span, traced_app};
use text_to_image::{Error, Pipeline, backend};

const MODEL: &str = "emoji-32";
/// Each pixel of the model becomes a square of as many pixels in the file.
const SCALE: usize = 8;

/// A request.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) prompt: String,
    pub(crate) num_inference_steps: usize,
    pub(crate) guidance_scale: f32,
    pub(crate) seed: u64,
    pub(crate) out: PathBuf,
    pub(crate) trace_context: TraceContext,
}

/// What a request comes to.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) unknown_words: Vec<String>,
    pub(crate) trace_id: TraceId,
}

/// Told how many steps are done, after each.
pub(crate) type Progress<'a> = &'a dyn Fn(usize);

#[derive(Debug)]
pub(crate) struct TextToImage {
    pipeline: Pipeline,
}

#[traced_app("text-to-image", backend = backend::NAME)]
impl TextToImage {
    pub(crate) fn setup() -> Result<Self, Error> {
        let app = Self { pipeline: Pipeline::load(backend::device()?)? };
        app.warmup()?;
        Ok(app)
    }

    /// The first step is the slow one: kernels are compiled and tuned in it.
    #[span("warmup", model.name = MODEL)]
    fn warmup(&self) -> Result<(), Error> {
        let prompt = self.pipeline.prompt("red heart")?;
        let mut denoising = self.pipeline.start(&prompt, 0, 2.0, 1)?;
        denoising.step();
        denoising.finish().map(drop)
    }

    #[propagate(input.trace_context)]
    #[span(
        "text-to-image",
        kind(server),
        model.name = MODEL,
        prompt.length = input.prompt.len(),
        num_inference_steps = input.num_inference_steps,
        guidance_scale = input.guidance_scale,
    )]
    pub(crate) fn run(&self, input: &Input, progress: Progress<'_>) -> Result<Output, Error> {
        let prompt = self.pipeline.prompt(&input.prompt)?;
        let Input { seed, guidance_scale, num_inference_steps, .. } = *input;
        let mut denoising =
            self.pipeline.start(&prompt, seed, guidance_scale, num_inference_steps)?;

        #[span("inference", num_inference_steps = num_inference_steps)]
        let picture = {
            for number in 1..=num_inference_steps {
                #[span("denoise-step", number = number)]
                denoising.step();
                progress(number);
            }
            denoising.finish()?
        };

        #[span("upload", file.path = input.out)]
        picture.save(&input.out, SCALE)?;

        Ok(Output {
            unknown_words: prompt.unknown().to_vec(),
            trace_id: spandrel::current_trace_id(),
        })
    }
}
