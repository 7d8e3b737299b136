use burn::tensor::{Device, Tensor};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::data::{self, BACKGROUNDS, Cutout, WHITE};
use crate::text::{self, Vocabulary};
use crate::{Error, SIDE, flow, noise};

/// Draws from the training set.
pub(super) struct Batches {
    examples: Vec<Example>,
    /// The words for [`BACKGROUNDS`].
    backgrounds: Vec<usize>,
    vocabulary: usize,
    device: Device,
}

pub(super) struct Batch {
    pub(super) clean: Tensor<4>,
    pub(super) noise: Tensor<4>,
    pub(super) times: Vec<f32>,
    pub(super) words: Tensor<2>,
}

/// A picture and its words.
struct Example {
    cutout: Cutout,
    name: Vec<usize>,
    all: Vec<usize>,
    unseen: usize,
}

impl Batches {
    pub(super) fn new(vocabulary: &Vocabulary, device: &Device) -> Result<Self, Error> {
        let words = |text: &str| Ok(vocabulary.prompt(text)?.words().to_vec());
        let pairs = data::cutouts()?.into_iter().zip(data::captions());
        let examples = pairs.enumerate().map(|(index, (cutout, caption))| {
            let all = format!("{} {}", caption.name, caption.keywords);
            let unseen = data::unseen_background(index);
            Ok(Example { cutout, name: words(caption.name)?, all: words(&all)?, unseen })
        });
        let backgrounds = BACKGROUNDS.iter().map(|(colour, _)| words(&text::background(colour)));
        Ok(Self {
            examples: examples.collect::<Result<_, Error>>()?,
            backgrounds: backgrounds.collect::<Result<Vec<_>, Error>>()?.concat(),
            vocabulary: vocabulary.len(),
            device: device.clone(),
        })
    }

    /// A batch: the same for the same number, so that a resumed run goes on
    /// as if it had not stopped.
    pub(super) fn draw(&self, size: usize, seed: u64, number: usize) -> Batch {
        let random = &mut Xoshiro256PlusPlus::seed_from_u64(seed.rotate_left(32) ^ number as u64);
        let mut pictures = Vec::with_capacity(size);
        let mut bags = Vec::with_capacity(size);
        for index in choose(self.examples.len(), size, random) {
            let example = &self.examples[index];
            let mut bag = example.caption(random);
            let mut colour = WHITE;
            if let Some(background) = example.background(random) {
                colour = BACKGROUNDS[background].1;
                if !bag.is_empty() {
                    bag.push(self.backgrounds[background]);
                }
            }
            pictures.push(example.cutout.on(colour).to_tensor(&self.device));
            bags.push(bag);
        }
        let bags: Vec<&[usize]> = bags.iter().map(Vec::as_slice).collect();
        Batch {
            clean: Tensor::stack(pictures, 0),
            times: (0..size).map(|_| time(random)).collect(),
            words: flow::bags(&bags, self.vocabulary, &self.device),
            noise: noise::gaussian_from(random, [size, 3, SIDE, SIDE], &self.device),
        }
    }
}

impl Example {
    /// Mostly the name, at times with other words, or only some of them, or
    /// none: the model also learns to draw without a prompt.
    fn caption(&self, random: &mut impl Rng) -> Vec<usize> {
        match random.random_range(0..10) {
            0 => Vec::new(),
            1 => self.all.clone(),
            2 => {
                let count = random.random_range(1..=2);
                self.all.sample(random, count).copied().collect()
            }
            _ => self.name.clone(),
        }
    }

    /// White half of the time, which needs no word, and never the unseen one.
    fn background(&self, random: &mut impl Rng) -> Option<usize> {
        let background = random.random_range(0..2 * BACKGROUNDS.len());
        (background < BACKGROUNDS.len() && background != self.unseen).then_some(background)
    }
}

/// Every picture as often as any other, give or take one.
fn choose(count: usize, size: usize, random: &mut impl Rng) -> Vec<usize> {
    let mut chosen = Vec::with_capacity(size + count);
    while chosen.len() < size {
        let mut round: Vec<usize> = (0..count).collect();
        round.shuffle(random);
        chosen.append(&mut round);
    }
    chosen.truncate(size);
    chosen
}

/// Logit-normal: mostly in the middle, where there is most to learn.
fn time(random: &mut impl Rng) -> f32 {
    let normal: f32 = StandardNormal.sample(random);
    1.0 / (1.0 + (-normal).exp())
}
