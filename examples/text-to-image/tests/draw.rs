//! What the trained model draws.

use std::fs;

use burn::tensor::Device;
use text_to_image::data::{self, WHITE};
use text_to_image::{Error, Picture, Pipeline};

fn pipeline() -> Pipeline {
    Pipeline::load(Device::flex()).unwrap()
}

fn draw(pipeline: &Pipeline, text: &str, seed: u64) -> Picture {
    let prompt = pipeline.prompt(text).unwrap();
    let mut denoising = pipeline.start(&prompt, seed, 2.0, 8).unwrap();
    while denoising.remaining() > 0 {
        denoising.step();
    }
    denoising.finish().unwrap()
}

fn original(name: &str, background: [u8; 3]) -> Picture {
    let index = data::captions().iter().position(|caption| caption.name == name).unwrap();
    data::cutouts().unwrap()[index].on(background)
}

#[test]
fn a_seed_gives_one_picture() {
    let pipeline = pipeline();
    let [first, same, other] = [7, 7, 8].map(|seed| draw(&pipeline, "pizza", seed));
    assert_eq!(first, same);
    assert_ne!(first, other);
}

#[test]
fn names_give_their_pictures() {
    let pipeline = pipeline();
    for (name, other) in [("red heart", "blue heart"), ("pizza", "sun"), ("cat face", "dog face")] {
        let drawn = draw(&pipeline, name, 1);
        let right = drawn.distance(&original(name, WHITE));
        let wrong = drawn.distance(&original(other, WHITE));
        assert!(right < wrong / 4.0, "{name}: {right} from its picture, {wrong} from {other}");
    }
}

#[test]
fn backgrounds_never_seen_with_a_picture_are_drawn() {
    let index = data::captions().iter().position(|caption| caption.name == "pizza").unwrap();
    let (colour, rgb) = data::BACKGROUNDS[data::unseen_background(index)];
    let drawn = draw(&pipeline(), &format!("pizza on a {colour} background"), 1);
    let right = drawn.distance(&original("pizza", rgb));
    let wrong = drawn.distance(&original("pizza", WHITE));
    assert!(right < wrong / 4.0, "{right} from pizza on {colour}, {wrong} from pizza on white");
}

#[test]
fn numbers_out_of_range_are_errors() {
    let pipeline = pipeline();
    let prompt = pipeline.prompt("pizza").unwrap();
    assert!(matches!(pipeline.start(&prompt, 0, 2.0, 0), Err(Error::Steps(0))));
    assert!(matches!(pipeline.start(&prompt, 0, f32::NAN, 9), Err(Error::Guidance(_))));
    let denoising = pipeline.start(&prompt, 0, 2.0, 9).unwrap();
    assert!(matches!(denoising.finish(), Err(Error::Unfinished(9))));
}

#[test]
fn the_weights_stay_small() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/weights/emoji.bpk");
    assert!(fs::metadata(path).unwrap().len() <= 10_000_000);
}

#[test]
fn a_png_is_written_or_the_error_names_the_file() {
    let picture = original("pizza", WHITE);
    let folder = std::env::temp_dir();
    let path = folder.join(format!("text-to-image-{}.png", std::process::id()));
    picture.save(&path, 8).unwrap();
    let png = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(&png[16..24], [0, 0, 1, 0, 0, 0, 1, 0], "256 by 256");

    let error = picture.save(folder.join("no such folder/a.png"), 8).unwrap_err();
    assert!(error.to_string().contains("no such folder/a.png"), "{error}");
}

#[test]
fn threads_can_share_a_pipeline() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&pipeline());
}
