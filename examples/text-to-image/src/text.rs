//! From a prompt to what the model reads: the words it knows.

use std::collections::BTreeMap;

use crate::{Error, data};

/// Prompts that are known to work, for messages.
pub const SUGGESTIONS: &str = "`red heart`, `pizza` or `blue cat face on a yellow background`";

/// How many known words a prompt may have.
pub const MAX_WORDS: usize = 11;

/// Words that join others, and show nothing.
const JOINING: [&str; 9] = ["a", "an", "and", "at", "in", "of", "on", "the", "with"];

/// Every word of the training set's names and keywords, of colours and of backgrounds:
/// "blue background" is one word, or nobody knew what is blue.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    words: BTreeMap<String, usize>,
}

/// A prompt with at least one known word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    known: Vec<usize>,
    unknown: Vec<String>,
}

impl Vocabulary {
    /// The words of the training set, in alphabetical order.
    #[must_use]
    pub fn new() -> Self {
        let captions = data::captions();
        let text = captions.iter().flat_map(|caption| [caption.name, caption.keywords]);
        let colours = data::COLOURS.iter();
        let colours = colours.flat_map(|(colour, _)| [(*colour).to_owned(), background(colour)]);
        let mut words: Vec<String> = text.flat_map(split).chain(colours).collect();
        words.sort();
        words.dedup();
        Self { words: words.into_iter().zip(0..).collect() }
    }

    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Reads a prompt. Case and punctuation do not matter, and a plural is its
    /// singular where only that is known; unknown words are set aside, see
    /// [`Prompt::unknown`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPrompt`] when no word is known, [`Error::LongPrompt`] when
    /// more than [`MAX_WORDS`] are.
    pub fn prompt(&self, text: &str) -> Result<Prompt, Error> {
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for word in split(text) {
            match self.find(&word) {
                Some(index) => known.push(index),
                None => unknown.push(word),
            }
        }
        if known.is_empty() {
            return Err(Error::UnknownPrompt(text.to_owned()));
        }
        if known.len() > MAX_WORDS {
            return Err(Error::LongPrompt(known.len()));
        }
        Ok(Prompt { text: text.to_owned(), known, unknown })
    }

    fn find(&self, word: &str) -> Option<usize> {
        let singular = || self.words.get(word.strip_suffix('s')?);
        self.words.get(word).or_else(singular).copied()
    }
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::new()
    }
}

impl Prompt {
    /// The prompt as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The words that the model has never seen, and ignores.
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The known words, by their place in the vocabulary.
    #[must_use]
    pub fn words(&self) -> &[usize] {
        &self.known
    }
}

/// The word for a background, as prompts say it.
pub(crate) fn background(colour: &str) -> String {
    format!("{colour} background")
}

/// The words of a text that show something, in lower case.
fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        match words.last_mut() {
            Some(last) if word == "background" && is_colour(last) => *last = background(last),
            _ if JOINING.contains(&word.as_str()) => {}
            _ => words.push(word),
        }
    }
    words
}

fn is_colour(word: &str) -> bool {
    data::COLOURS.iter().any(|(colour, _)| *colour == word)
}
