use std::{collections::BTreeSet, path::Path};

use rayon::prelude::*;

use crate::data::{self, COLOURS, Cutout, WHITE};
use crate::{Error, Picture, Pipeline, Request, text};

const BATCH: usize = 32;
const STEPS: usize = 20;
const GUIDANCE: f32 = 2.0;

/// What the model is asked to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Every picture by its name.
    Names,
    /// Every picture by its name, on the background it was never seen on.
    Backgrounds,
    /// Every picture without a colour in its name, in the one it was never seen in.
    Paints,
}

/// How well the model draws what it is asked for.
#[derive(Debug)]
pub struct Score {
    /// What was drawn, in the order of the training set.
    pub drawn: Vec<Picture>,
    /// The prompts whose picture is nearer to another one of the training set,
    /// painted or set on a background alike, with the name of that.
    pub wrong: Vec<(String, &'static str)>,
    /// The mean distance to the right picture, see [`Picture::distance`].
    pub distance: f32,
}

impl Score {
    /// The score of a pipeline, for every `every`th picture that the test fits.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] and [`Error::Device`].
    pub fn of(pipeline: &Pipeline, test: Test, every: usize) -> Result<Self, Error> {
        let captions = data::captions();
        let cutouts = data::cutouts()?;
        let names = captions.iter().enumerate().step_by(every.max(1));
        let asked = names.filter_map(|(index, caption)| test.ask(index, caption.name));
        let asked: Vec<Asked> = asked.collect();
        let drawn = draw(pipeline, &asked)?;

        let mut found = vec![(0, 0.0); asked.len()];
        for look in asked.iter().map(|asked| asked.look).collect::<BTreeSet<_>>() {
            let pictures: Vec<Picture> = cutouts.par_iter().map(|cutout| look.of(cutout)).collect();
            found.par_iter_mut().zip(&asked).zip(&drawn).for_each(|((found, asked), drawn)| {
                if asked.look == look {
                    *found = nearest(drawn, &pictures, asked.index);
                }
            });
        }
        let pairs = asked.iter().zip(&found);
        let wrong = pairs.filter(|(asked, (nearest, _))| asked.index != *nearest);
        let wrong =
            wrong.map(|(asked, &(nearest, _))| (asked.text.clone(), captions[nearest].name));
        let wrong = wrong.collect();
        let distances = found.iter().map(|(_, distance)| distance);
        let distance = distances.sum::<f32>() / found.len() as f32;
        Ok(Self { drawn, wrong, distance })
    }

    /// How many were right, of how many.
    #[must_use]
    pub fn right(&self) -> (usize, usize) {
        (self.drawn.len() - self.wrong.len(), self.drawn.len())
    }

    /// Writes all pictures as one PNG, forty a row.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub fn save_sheet(&self, path: &Path) -> Result<(), Error> {
        Picture::save_sheet(&self.drawn, 40, path)
    }
}

/// A prompt, and what it should show.
struct Asked {
    text: String,
    index: usize,
    look: Look,
}

/// How a picture is painted, and what it is on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    paint: Option<[u8; 3]>,
    ground: [u8; 3],
}

impl Test {
    /// `None` where a picture has no such prompt.
    fn ask(self, index: usize, name: &str) -> Option<Asked> {
        let plain = Look { paint: None, ground: WHITE };
        let (text, look) = match self {
            Self::Names => (name.to_owned(), plain),
            Self::Backgrounds => {
                let (word, ground) = COLOURS[data::unseen_background(index)];
                (format!("{name} on a {}", text::background(word)), Look { ground, ..plain })
            }
            Self::Paints => {
                let (word, paint) = COLOURS[data::unseen_paint(index, name)?];
                (format!("{word} {name}"), Look { paint: Some(paint), ..plain })
            }
        };
        Some(Asked { text, index, look })
    }
}

impl Look {
    fn of(self, cutout: &Cutout) -> Picture {
        match self.paint {
            Some(paint) => cutout.painted(paint).on(self.ground),
            None => cutout.on(self.ground),
        }
    }
}

fn draw(pipeline: &Pipeline, asked: &[Asked]) -> Result<Vec<Picture>, Error> {
    let mut drawn = Vec::with_capacity(asked.len());
    for (batch, asked) in asked.chunks(BATCH).enumerate() {
        let requests = asked
            .iter()
            .zip((batch * BATCH) as u64..)
            .map(|(asked, seed)| Request::new(pipeline.prompt(&asked.text)?, seed, GUIDANCE));
        let requests = requests.collect::<Result<Vec<_>, Error>>()?;
        let mut denoising = pipeline.start(&requests, STEPS)?;
        while denoising.remaining() > 0 {
            denoising.step();
        }
        drawn.append(&mut denoising.finish()?);
    }
    Ok(drawn)
}

/// Which picture is nearest, and how far the right one is.
fn nearest(drawn: &Picture, pictures: &[Picture], right: usize) -> (usize, f32) {
    let distances: Vec<f32> = pictures.iter().map(|picture| picture.distance(drawn)).collect();
    let nearest = (0..distances.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    (nearest.unwrap_or(right), distances[right])
}
