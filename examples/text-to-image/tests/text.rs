//! What prompts are understood.

use text_to_image::Error;
use text_to_image::text::{MAX_WORDS, Vocabulary};

#[test]
fn case_and_punctuation_do_not_matter() {
    let vocabulary = Vocabulary::new();
    let [plain, odd] = ["red heart", "Red... HEART!"].map(|text| vocabulary.prompt(text).unwrap());
    assert_eq!(plain.words(), odd.words());
    assert_eq!(plain.words().len(), 2);
}

#[test]
fn the_order_of_words_matters() {
    let vocabulary = Vocabulary::new();
    let [one, other] = ["dog cat", "cat dog"].map(|text| vocabulary.prompt(text).unwrap());
    assert_ne!(one.words(), other.words());
}

#[test]
fn a_plural_is_its_singular() {
    let vocabulary = Vocabulary::new();
    let [one, many] = ["blue rocket", "blue rockets"].map(|text| vocabulary.prompt(text).unwrap());
    assert_eq!(one.words(), many.words());
}

#[test]
fn a_prompt_has_as_many_words_as_are_understood() {
    let vocabulary = Vocabulary::new();
    assert!(vocabulary.prompt(&"a cat ".repeat(MAX_WORDS)).is_ok());
    let error = vocabulary.prompt(&"a cat ".repeat(MAX_WORDS + 1)).unwrap_err();
    let expected = "12 words of the prompt are known, at most 11 can be drawn; shorten it";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_background_keeps_its_colour() {
    let vocabulary = Vocabulary::new();
    let prompts = ["red heart on a blue background", "blue heart on a red background"];
    let [red, blue] = prompts.map(|text| vocabulary.prompt(text).unwrap());
    assert_ne!(red.words(), blue.words());
    assert!(red.unknown().is_empty());
}

#[test]
fn unknown_words_are_set_aside() {
    let prompt = Vocabulary::new().prompt("a wibbly pizza").unwrap();
    assert_eq!(prompt.unknown(), ["wibbly"]);
    assert_eq!(prompt.words().len(), 1);
    assert_eq!(prompt.text(), "a wibbly pizza");
}

#[test]
fn a_prompt_of_unknown_words_says_what_to_try() {
    let error = Vocabulary::new().prompt("wibbly").unwrap_err();
    assert!(matches!(error, Error::UnknownPrompt(_)));
    assert_eq!(
        error.to_string(),
        "no word of `wibbly` is known; \
         try `red heart`, `pizza` or `blue cat face on a yellow background`"
    );
    assert!(matches!(Vocabulary::new().prompt("the"), Err(Error::UnknownPrompt(_))));
    assert!(matches!(Vocabulary::new().prompt(""), Err(Error::UnknownPrompt(_))));
}
