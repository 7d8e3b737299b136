//! The mistakes of one attribute, collected and reported together.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Collects mistakes; `finish` must be called, so that none is ever swallowed.
#[derive(Default)]
pub(crate) struct Errors {
    found: Option<syn::Error>,
    finished: bool,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes a mistake on the given tokens: *what is wrong; what to do*.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            None => self.found = Some(error),
        }
    }

    /// The value, or nothing and a mistake noted.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The `compile_error!`s for everything found; `None` when nothing was.
    pub(crate) fn finish(mut self) -> Option<TokenStream> {
        self.finished = true;
        self.found.take().map(|error| error.to_compile_error())
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(
            self.finished || std::thread::panicking(),
            "`Errors` dropped without `finish`"
        );
    }
}

/// The message about what stands twice in one place, and what to do instead.
pub(crate) fn given_twice(what: &str, remedy: &str) -> String {
    format!("`{what}` is given twice; {remedy}")
}

/// The message about an attribute that stands twice on one thing.
pub(crate) fn attribute_given_twice(word: &str) -> String {
    given_twice(&format!("#[{word}]"), "write all of it in one")
}

/// The end of a message about an unknown word: the one that was probably meant, and all there are.
pub(crate) fn choices(written: &str, label: &str, known: &[&str]) -> String {
    let meant = closest(written, known).map(|name| format!(" did you mean `{name}`?"));
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(";{} {label}: {known}", meant.unwrap_or_default())
}

/// The word that was probably meant.
pub(crate) fn closest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (distance(written, name), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .filter(|(distance, _)| *distance < written.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{choices, closest};

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let end = |written| choices(written, "options", &["sample", "batch"]);
        assert_eq!(end("samle"), "; did you mean `sample`? options: sample, batch");
        assert_eq!(end("bacth"), "; did you mean `batch`? options: sample, batch");
        assert_eq!(closest("id", &["kind"]), None);
        assert_eq!(end("propagator"), "; options: sample, batch");
    }
}
