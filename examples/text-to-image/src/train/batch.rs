use std::borrow::Cow;

use burn::tensor::{Device, Int, Tensor};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt, SeedableRng};

use crate::data::{self, COLOURS, Cutout, PAINTS, WHITE};
use crate::text::{self, MAX_WORDS, Vocabulary};
use crate::{Error, Picture, SIDE, model, noise};

/// Draws from the training set.
pub(super) struct Batches {
    examples: Vec<Example>,
    /// The words for [`COLOURS`].
    paints: Vec<usize>,
    /// And for backgrounds in them.
    backgrounds: Vec<usize>,
    device: Device,
}

pub(super) struct Batch {
    pub(super) clean: Tensor<4>,
    pub(super) noise: Tensor<4>,
    pub(super) times: Vec<f32>,
    pub(super) tokens: Tensor<2, Int>,
}

/// A picture and its words.
struct Example {
    cutout: Cutout,
    name: Vec<usize>,
    keywords: Vec<usize>,
    unseen_background: usize,
    unseen_paint: Option<usize>,
}

impl Batches {
    pub(super) fn new(vocabulary: &Vocabulary, device: &Device) -> Result<Self, Error> {
        let words = |text: &str| Ok(vocabulary.prompt(text)?.words().to_vec());
        let pairs = data::cutouts()?.into_iter().zip(data::captions());
        let examples = pairs.enumerate().map(|(index, (cutout, caption))| {
            // Joining words are not worth a place.
            let keywords = caption.keywords.split(' ').filter_map(|word| words(word).ok());
            Ok(Example {
                cutout,
                name: words(caption.name)?,
                keywords: keywords.flatten().collect(),
                unseen_background: data::unseen_background(index),
                unseen_paint: data::unseen_paint(index, caption.name),
            })
        });
        let paints = COLOURS.iter().map(|(colour, _)| words(colour));
        let backgrounds = COLOURS.iter().map(|(colour, _)| words(&text::background(colour)));
        Ok(Self {
            examples: examples.collect::<Result<_, Error>>()?,
            paints: paints.collect::<Result<Vec<_>, Error>>()?.concat(),
            backgrounds: backgrounds.collect::<Result<Vec<_>, Error>>()?.concat(),
            device: device.clone(),
        })
    }

    /// A batch: the same for the same number, so that a resumed run goes on
    /// as if it had not stopped.
    pub(super) fn draw(&self, size: usize, seed: u64, number: usize) -> Batch {
        let random = &mut Xoshiro256PlusPlus::seed_from_u64(seed.rotate_left(32) ^ number as u64);
        let mut pictures = Vec::with_capacity(size);
        let mut prompts = Vec::with_capacity(size);
        for index in choose(self.examples.len(), size, random) {
            let (picture, prompt) = self.show(&self.examples[index], random);
            pictures.push(picture.to_tensor(&self.device));
            prompts.push(prompt);
        }
        let prompts: Vec<&[usize]> = prompts.iter().map(Vec::as_slice).collect();
        Batch {
            clean: Tensor::stack(pictures, 0),
            times: (0..size).map(|_| time(random)).collect(),
            tokens: model::tokens(&prompts, &self.device),
            noise: noise::gaussian_from(random, [size, 3, SIDE, SIDE], &self.device),
        }
    }

    /// A picture as it is, or in a colour, or on one, or both, and its prompt.
    fn show(&self, example: &Example, random: &mut impl Rng) -> (Picture, Vec<usize>) {
        let mut prompt = example.caption(random);
        let mut say = |place: usize, word: usize| {
            if !prompt.is_empty() && prompt.len() < MAX_WORDS {
                prompt.insert(place.min(prompt.len()), word);
            }
        };
        let mut cutout = Cow::Borrowed(&example.cutout);
        if let Some(paint) = example.paint(random) {
            cutout = Cow::Owned(cutout.painted(COLOURS[paint].1));
            say(0, self.paints[paint]);
        }
        let mut ground = WHITE;
        if let Some(background) = example.background(random) {
            ground = COLOURS[background].1;
            say(MAX_WORDS, self.backgrounds[background]);
        }
        (cutout.on(ground), prompt)
    }
}

impl Example {
    /// Mostly the name, at times keywords, or nothing: the model also learns to
    /// draw without a prompt.
    fn caption(&self, random: &mut impl Rng) -> Vec<usize> {
        match random.random_range(0..10) {
            0 => Vec::new(),
            1 => {
                let count = random.random_range(1..=4);
                self.keywords.sample(random, count).copied().collect()
            }
            _ => self.name.clone(),
        }
    }

    /// None most of the time, and never the unseen one.
    fn paint(&self, random: &mut impl Rng) -> Option<usize> {
        let unseen = self.unseen_paint?;
        let paint = random.random_range(0..4 * PAINTS);
        (paint < PAINTS && paint != unseen).then_some(paint)
    }

    /// White two thirds of the time, which needs no word, and never the unseen one.
    fn background(&self, random: &mut impl Rng) -> Option<usize> {
        let background = random.random_range(0..3 * COLOURS.len());
        (background < COLOURS.len() && background != self.unseen_background).then_some(background)
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

/// Mostly near the noise, where only the prompt says what is to be drawn.
fn time(random: &mut impl Rng) -> f32 {
    random.random::<f32>().cbrt()
}
