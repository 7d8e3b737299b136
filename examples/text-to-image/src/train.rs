//! Training: the model learns the pictures of [`crate::data`] by their
//! captions, and a running average of its weights is what is kept.

mod average;
mod batch;
mod checkpoint;
mod pools;
mod score;
mod words;

use std::path::Path;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};

use crate::text::Vocabulary;
use crate::{Backend, Error, Pipeline, flow, model::UNet, weights};

use batch::Batches;
use pools::Pools;
pub use score::{Score, Test};

const WARM_UP: usize = 200;

/// What can be chosen.
#[derive(Debug, Clone)]
pub struct Options {
    /// The step at which training ends and the learning rate has fallen to nothing.
    pub steps: usize,
    /// Pictures a step.
    pub batch: usize,
    /// How many threads share a step; a GPU wants one.
    pub threads: usize,
    /// The highest learning rate.
    pub rate: f64,
    /// Chooses first weights, batches and noise.
    pub seed: u64,
}

/// A training run.
pub struct Trainer {
    options: Options,
    vocabulary: Vocabulary,
    batches: Batches,
    model: UNet,
    average: UNet,
    optimizer: ModuleOptimizer,
    step: usize,
    backend: Backend,
    pools: Pools,
}

struct Share {
    loss: f32,
    gradients: GradientsParams,
}

impl Trainer {
    /// Begins with random weights.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] when the training set cannot be read.
    pub fn new(options: Options, backend: &Backend) -> Result<Self, Error> {
        let device = backend.device();
        device.seed(options.seed);
        let vocabulary = Vocabulary::new();
        let batches = Batches::new(&vocabulary, device)?;
        let mut model = UNet::new(vocabulary.len(), &device.clone().autodiff());
        model.teach(words::seen_from_afar(&vocabulary)?);
        let optimizer = AdamWConfig::new()
            .with_beta_2(0.99)
            .with_epsilon(1e-8)
            .with_weight_decay(0.01)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
            .init();
        let average = model.valid();
        let pools = Pools::new(options.threads)?;
        let backend = backend.clone();
        Ok(Self {
            options,
            vocabulary,
            batches,
            model,
            average,
            optimizer,
            step: 0,
            backend,
            pools,
        })
    }

    /// How many steps have been done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.step
    }

    /// How many numbers the model consists of.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.model.num_params()
    }

    /// Learns from one batch and returns its loss.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when the device failed.
    pub fn step(&mut self) -> Result<f32, Error> {
        let mut gradients = GradientsAccumulator::new();
        let mut loss = 0.0;
        for share in self.pools.run(|share| self.learn(share)) {
            let share = share?;
            gradients.accumulate(&self.model, share.gradients);
            loss += share.loss;
        }
        self.model = self.optimizer.step(self.rate(), self.model.clone(), gradients.grads());
        average::update(&mut self.average, &self.model, self.step);
        self.step += 1;
        Ok(loss)
    }

    /// One thread's share of a step.
    fn learn(&self, share: usize) -> Result<Share, Error> {
        let shares = self.pools.len();
        let size = self.options.batch.div_ceil(shares);
        let batch = self.batches.draw(size, self.options.seed, self.step * shares + share);
        // Weights of its own, or the threads would wait for one another.
        let model = self.model.clone().fork(&self.backend.device().clone().autodiff());
        let copy = weights::in_precision(model.clone(), self.backend.precision);
        let loss = flow::loss(&copy, batch.clean, batch.noise, &batch.times, batch.tokens);
        let loss = loss.div_scalar(shares as f32);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let loss = loss.try_into_scalar().map_err(|error| Error::Device(error.to_string()))?;
        Ok(Share { loss, gradients })
    }

    /// Rises, then falls along a cosine.
    fn rate(&self) -> f64 {
        let step = self.step as f64 + 1.0;
        let warm = (step / WARM_UP as f64).min(1.0);
        let done = (step / self.options.steps as f64).min(1.0);
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.options.rate * warm * (0.01 + 0.99 * fall)
    }

    /// What draws with the averaged weights.
    #[must_use]
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::of(self.average.clone(), self.vocabulary.clone(), self.backend.device().clone())
    }

    /// Writes the averaged weights in half precision.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file cannot be written.
    pub fn export(&self, path: &Path) -> Result<(), Error> {
        weights::save(&self.average, path)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::FloatDType;

    use super::*;

    #[test]
    fn half_of_single_precision_learns_the_same() {
        let losses = |precision| {
            let options = Options { steps: 10, batch: 4, threads: 2, rate: 1e-3, seed: 5 };
            let mut backend = Backend::cpu();
            backend.precision = precision;
            let mut trainer = Trainer::new(options, &backend).unwrap();
            [(); 4].map(|()| trainer.step().unwrap())
        };
        let [exact, rough] = [FloatDType::F32, FloatDType::BF16].map(losses);
        assert!((exact[3] - exact[0]).abs() > 0.1, "it learns: {exact:?}");
        for (exact, rough) in exact.iter().zip(&rough) {
            assert!((exact - rough).abs() < 0.03 * exact, "{exact} became {rough}");
        }
    }
}
