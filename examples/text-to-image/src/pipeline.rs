use burn::tensor::{Device, Tensor};

use crate::model::UNet;
use crate::text::{Prompt, Vocabulary};
use crate::{Error, Picture, SIDE, flow, noise, weights};

/// The trained model, ready to draw.
#[derive(Debug)]
pub struct Pipeline {
    model: UNet,
    vocabulary: Vocabulary,
    device: Device,
}

/// A picture in the making.
#[derive(Debug)]
pub struct Denoising<'a> {
    model: &'a UNet,
    words: Tensor<2>,
    guidance: f32,
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
    pub fn load(device: Device) -> Result<Self, Error> {
        let vocabulary = Vocabulary::new();
        let model = weights::load(vocabulary.len(), &device)?;
        Ok(Self { model, vocabulary, device })
    }

    /// Reads a prompt, see [`Vocabulary::prompt`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPrompt`] when no word is known.
    pub fn prompt(&self, text: &str) -> Result<Prompt, Error> {
        self.vocabulary.prompt(text)
    }

    /// Begins a picture: noise that only depends on the seed. The guidance
    /// scale is how strictly the prompt is followed, 1 being as trained.
    ///
    /// # Errors
    ///
    /// [`Error::Steps`] and [`Error::Guidance`] when those are out of range.
    pub fn start(
        &self,
        prompt: &Prompt,
        seed: u64,
        guidance: f32,
        steps: usize,
    ) -> Result<Denoising<'_>, Error> {
        if !(1..=1000).contains(&steps) {
            return Err(Error::Steps(steps));
        }
        if !(0.0..=20.0).contains(&guidance) {
            return Err(Error::Guidance(guidance));
        }
        Ok(Denoising {
            model: &self.model,
            words: flow::bags(&[prompt.words()], self.vocabulary.len(), &self.device),
            guidance,
            steps,
            done: 0,
            noisy: noise::gaussian([1, 3, SIDE, SIDE], seed, &self.device),
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
        let (noisy, words) = (self.noisy.clone(), self.words.clone());
        self.noisy = flow::step(self.model, noisy, times, words, self.guidance);
        self.done += 1;
    }

    /// The finished picture.
    ///
    /// # Errors
    ///
    /// [`Error::Unfinished`] when steps remain, [`Error::Device`] when the
    /// device failed.
    pub fn finish(self) -> Result<Picture, Error> {
        match self.remaining() {
            0 => Picture::from_tensor(self.noisy.squeeze_dim(0)),
            steps => Err(Error::Unfinished(steps)),
        }
    }
}
