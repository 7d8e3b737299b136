//! Training, on a few pictures for a few steps.

use text_to_image::train::{Options, Score, Test, Trainer};
use text_to_image::{Backend, Error};

fn trainer() -> Trainer {
    let options = Options { steps: 10, batch: 4, threads: 2, rate: 1e-3, seed: 5 };
    Trainer::new(options, &Backend::cpu()).unwrap()
}

#[test]
fn a_resumed_run_goes_on_as_if_it_had_not_stopped() {
    let folder = std::env::temp_dir().join(format!("text-to-image-run-{}", std::process::id()));
    let mut first = trainer();
    first.step().unwrap();
    first.save(&folder).unwrap();
    first.step().unwrap();
    first.save(&folder).unwrap();
    let expected = [first.step().unwrap(), first.step().unwrap()];

    // As it is when a run is stopped while it puts a new checkpoint in place.
    std::fs::rename(folder.join("last"), folder.join("old")).unwrap();
    let mut second = trainer().resume(&folder).unwrap();
    assert_eq!(second.done(), 2);
    let resumed = [second.step().unwrap(), second.step().unwrap()];
    assert_eq!(resumed.map(f32::to_bits), expected.map(f32::to_bits), "to the last bit");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn there_is_nothing_to_resume_in_an_empty_folder() {
    let error = trainer().resume("no such folder".as_ref()).err().unwrap();
    assert!(matches!(error, Error::File { .. }), "{error}");
}

#[test]
fn a_score_counts_what_is_nearest_to_what_was_asked_for() {
    let pipeline = trainer().pipeline();
    for (test, count) in [(Test::Names, 3), (Test::Backgrounds, 3), (Test::Paints, 3)] {
        let score = Score::of(&pipeline, test, 500).unwrap();
        let (right, all) = score.right();
        assert_eq!((all, score.drawn.len()), (count, count), "{test:?}");
        assert!(right < all && score.distance > 0.05, "nothing has been learnt: {right} right");
    }
}
