//! What words mean before anything is learnt: the pictures they are the names of, seen from afar.

use crate::data::{self, WHITE};
use crate::text::{Prompt, Vocabulary};
use crate::{Error, Picture, SIDE, model::WIDTH_OF_WORDS};

/// From afar a picture is 8×8 pixels.
const SMALL: usize = 8;
const VALUES: usize = 3 * SMALL * SMALL;
const _: () = assert!(VALUES <= WIDTH_OF_WORDS, "a word has room for a picture");

/// For each word the mean of the pictures it names, or else is a keyword of, less the mean of all;
/// zeros for a word that is neither.
pub(super) fn seen_from_afar(vocabulary: &Vocabulary) -> Result<Vec<Vec<f32>>, Error> {
    let pictures = data::cutouts()?;
    let pictures: Vec<Vec<f32>> =
        pictures.iter().map(|cutout| from_afar(&cutout.on(WHITE))).collect();
    let overall = mean(&pictures.iter().collect::<Vec<_>>());
    let mut named = vec![Vec::new(); vocabulary.len()];
    let mut described = named.clone();
    for (picture, caption) in pictures.iter().zip(data::captions()) {
        for (text, seen) in [(caption.name, &mut named), (caption.keywords, &mut described)] {
            for word in text.split(' ') {
                let known = vocabulary.prompt(word);
                for &word in known.iter().flat_map(Prompt::words) {
                    seen[word].push(picture);
                }
            }
        }
    }
    let words = named.into_iter().zip(described).map(|(named, described)| {
        let seen = if named.is_empty() { described } else { named };
        let mut word = vec![0.0; WIDTH_OF_WORDS];
        if !seen.is_empty() {
            let differences = mean(&seen).into_iter().zip(&overall).map(|(own, all)| own - all);
            word.iter_mut().zip(differences).for_each(|(value, difference)| *value = difference);
        }
        word
    });
    Ok(words.collect())
}

fn mean(pictures: &[&Vec<f32>]) -> Vec<f32> {
    let mut mean = vec![0.0; VALUES];
    for picture in pictures {
        for (sum, value) in mean.iter_mut().zip(*picture) {
            *sum += value / pictures.len() as f32;
        }
    }
    mean
}

/// Means of squares, from -1 to 1.
fn from_afar(picture: &Picture) -> Vec<f32> {
    let square = SIDE / SMALL;
    let mut small = vec![0.0; VALUES];
    for (index, &value) in picture.rgb().iter().enumerate() {
        let (channel, x, y) = (index % 3, index / 3 % SIDE, index / 3 / SIDE);
        let place = channel + 3 * (x / square + SMALL * (y / square));
        small[place] += (f32::from(value) / 127.5 - 1.0) / (square * square) as f32;
    }
    small
}
