//! What prompts are understood.

use text_to_image::{Error, text::Vocabulary};

#[test]
fn case_order_and_punctuation_do_not_matter() {
    let vocabulary = Vocabulary::new();
    let [plain, odd] = ["red heart", "Heart, RED!"].map(|text| vocabulary.prompt(text).unwrap());
    assert_eq!(plain.words(), odd.words());
    assert_eq!(plain.words().len(), 2);
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
         try `red heart`, `pizza` or `cat face on a blue background`"
    );
    assert!(matches!(Vocabulary::new().prompt("the"), Err(Error::UnknownPrompt(_))));
    assert!(matches!(Vocabulary::new().prompt(""), Err(Error::UnknownPrompt(_))));
}
