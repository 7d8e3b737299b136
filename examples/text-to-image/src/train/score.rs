use std::path::Path;

use burn::tensor::Device;

use crate::data::{self, BACKGROUNDS, WHITE};
use crate::model::UNet;
use crate::text::{self, Vocabulary};
use crate::{Error, Picture, Prompt, SIDE, flow, noise, weights};

const STEPS: usize = 20;
const GUIDANCE: f32 = 2.0;

/// What the model is asked to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Every picture by its name.
    Names,
    /// Every picture by its name, on the background it was never seen on.
    Unseen,
}

/// How well the model draws what it is asked for.
#[derive(Debug)]
pub struct Score {
    /// What was drawn, in the order of the training set.
    pub drawn: Vec<Picture>,
    /// The names whose picture is nearer to another one of the training set,
    /// with the name of that.
    pub wrong: Vec<(&'static str, &'static str)>,
    /// The mean distance to the right picture, see [`Picture::distance`].
    pub distance: f32,
}

impl Score {
    /// The score of this build's weights.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`], [`Error::Data`] and [`Error::Device`].
    pub fn trained(device: &Device, test: Test) -> Result<Self, Error> {
        let vocabulary = Vocabulary::new();
        let model = weights::load(vocabulary.len(), device)?;
        Self::of(&model, (&vocabulary, device), test)
    }

    pub(super) fn of(
        model: &UNet,
        (vocabulary, device): (&Vocabulary, &Device),
        test: Test,
    ) -> Result<Self, Error> {
        let captions = data::captions();
        let cutouts = data::cutouts()?;
        let (texts, colours): (Vec<_>, Vec<_>) = captions
            .iter()
            .enumerate()
            .map(|(index, caption)| test.ask(index, caption.name))
            .unzip();
        let prompts = texts.iter().map(|text| vocabulary.prompt(text));
        let prompts = prompts.collect::<Result<Vec<_>, _>>()?;
        let drawn = draw(model, (vocabulary, device), &prompts)?;

        let mut wrong = Vec::new();
        let mut distance = 0.0;
        for (index, (picture, colour)) in drawn.iter().zip(colours).enumerate() {
            let distances = cutouts.iter().map(|cutout| cutout.on(colour).distance(picture));
            let distances: Vec<f32> = distances.collect();
            let nearest = (0..cutouts.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
            if let Some(found) = nearest.filter(|&found| found != index) {
                wrong.push((captions[index].name, captions[found].name));
            }
            distance += distances[index] / cutouts.len() as f32;
        }
        Ok(Self { drawn, wrong, distance })
    }

    /// How many were right, of how many.
    #[must_use]
    pub fn right(&self) -> (usize, usize) {
        (self.drawn.len() - self.wrong.len(), self.drawn.len())
    }

    /// Writes all pictures as one PNG, sixteen a row.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn save_sheet(&self, path: &Path) -> Result<(), Error> {
        Picture::save_sheet(&self.drawn, 16, path)
    }
}

impl Test {
    fn ask(self, index: usize, name: &str) -> (String, [u8; 3]) {
        let (word, colour) = BACKGROUNDS[data::unseen_background(index)];
        match self {
            Self::Names => (name.to_owned(), WHITE),
            Self::Unseen => (format!("{name} on a {}", text::background(word)), colour),
        }
    }
}

fn draw(
    model: &UNet,
    (vocabulary, device): (&Vocabulary, &Device),
    prompts: &[Prompt],
) -> Result<Vec<Picture>, Error> {
    let mut pictures = Vec::with_capacity(prompts.len());
    for (seed, prompts) in prompts.chunks(32).enumerate() {
        let bags: Vec<&[usize]> = prompts.iter().map(Prompt::words).collect();
        let words = flow::bags(&bags, vocabulary.len(), device);
        let mut noisy = noise::gaussian([bags.len(), 3, SIDE, SIDE], seed as u64, device);
        for left in (1..=STEPS).rev() {
            let times = [left, left - 1].map(|left| left as f32 / STEPS as f32);
            noisy = flow::step(model, noisy, times, words.clone(), GUIDANCE);
        }
        for picture in noisy.iter_dim(0) {
            pictures.push(Picture::from_tensor(picture.squeeze_dim(0))?);
        }
    }
    Ok(pictures)
}
