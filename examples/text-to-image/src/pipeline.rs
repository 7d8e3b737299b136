use burn::tensor::{Device, Tensor, TensorData};

use crate::model::{self, UNet};
use crate::text::{Prompt, Vocabulary};
use crate::{Backend, Error, Picture, flow, noise, weights};

/// How many steps a picture can take.
pub const MAX_STEPS: usize = 1000;
/// How strictly a prompt can be followed.
pub const MAX_GUIDANCE: f32 = 20.0;
/// How many pictures can be drawn together.
pub const MAX_PICTURES: usize = 64;

/// The trained model, ready to draw.
#[derive(Debug)]
pub struct Pipeline {
    model: UNet,
    vocabulary: Vocabulary,
    device: Device,
}

/// A picture that is to be drawn.
#[derive(Debug, Clone)]
pub struct Request {
    prompt: Prompt,
    seed: u64,
    guidance_scale: f32,
}

impl Request {
    /// The same seed gives the same picture, whatever is drawn beside it. The guidance scale is how
    /// strictly the prompt is followed, 0 to [`MAX_GUIDANCE`]; 1 is as trained.
    ///
    /// # Errors
    ///
    /// [`Error::Guidance`] when that is out of range.
    pub fn new(prompt: Prompt, seed: u64, guidance_scale: f32) -> Result<Self, Error> {
        if (0.0..=MAX_GUIDANCE).contains(&guidance_scale) {
            Ok(Self { prompt, seed, guidance_scale })
        } else {
            Err(Error::Guidance(guidance_scale))
        }
    }
}

/// Pictures in the making.
#[derive(Debug)]
pub struct Denoising<'a> {
    model: &'a UNet,
    text: Tensor<2>,
    guidance: Tensor<4>,
    steps: usize,
    done: usize,
    noisy: Tensor<4>,
}

impl Pipeline {
    /// Loads the weights, which are part of the binary.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`] when they do not fit the model.
    pub fn load(backend: &Backend) -> Result<Self, Error> {
        let vocabulary = Vocabulary::new();
        let model = weights::load(vocabulary.len(), backend)?;
        Ok(Self::of(model, vocabulary, backend.device().clone()))
    }

    pub(crate) fn of(model: UNet, vocabulary: Vocabulary, device: Device) -> Self {
        Self { model, vocabulary, device }
    }

    /// Where the pictures are drawn.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Reads a prompt, see [`Vocabulary::prompt`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPrompt`] and [`Error::LongPrompt`].
    pub fn prompt(&self, text: &str) -> Result<Prompt, Error> {
        self.vocabulary.prompt(text)
    }

    /// Begins pictures that are drawn together, each from noise that only depends on its seed.
    ///
    /// # Errors
    ///
    /// [`Error::Steps`] and [`Error::Pictures`] when those are out of range.
    pub fn start(&self, requests: &[Request], steps: usize) -> Result<Denoising<'_>, Error> {
        if requests.is_empty() || requests.len() > MAX_PICTURES {
            return Err(Error::Pictures(requests.len()));
        }
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(Error::Steps(steps));
        }
        let prompts = requests.iter().map(|request| request.prompt.words());
        let nothing = requests.iter().map(|_| &[][..]);
        let prompts: Vec<&[usize]> = prompts.chain(nothing).collect();
        let scales = requests.iter().map(|request| request.guidance_scale).collect();
        let scales = TensorData::new::<f32, _>(scales, [requests.len(), 1, 1, 1]);
        let noise = requests.iter().map(|request| noise::gaussian(request.seed, &self.device));
        Ok(Denoising {
            model: &self.model,
            text: self.model.read(model::tokens(&prompts, &self.device)),
            guidance: Tensor::from_data(scales, &self.device),
            steps,
            done: 0,
            noisy: Tensor::cat(noise.collect(), 0),
        })
    }
}

impl Denoising<'_> {
    /// How many steps are still to do.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.steps - self.done
    }

    /// Removes some of the noise; does nothing when none remains. The CPU has
    /// done the work on return, CUDA has only been told to.
    pub fn step(&mut self) {
        if self.remaining() == 0 {
            return;
        }
        let time = |done| (self.steps - done) as f32 / self.steps as f32;
        let times = [time(self.done), time(self.done + 1)];
        let [noisy, guidance] = [&self.noisy, &self.guidance].map(Tensor::clone);
        self.noisy = flow::step(self.model, noisy, times, self.text.clone(), guidance);
        self.done += 1;
    }

    /// The finished pictures, in the order of their requests.
    ///
    /// # Errors
    ///
    /// [`Error::Unfinished`] when steps remain, [`Error::Device`] when the
    /// device failed.
    pub fn finish(self) -> Result<Vec<Picture>, Error> {
        match self.remaining() {
            0 => Picture::from_tensor(self.noisy),
            steps => Err(Error::Unfinished(steps)),
        }
    }
}
