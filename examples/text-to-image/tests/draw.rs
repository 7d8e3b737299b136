//! What the trained model draws.

use std::fs;

use text_to_image::data::{self, COLOURS, WHITE};
use text_to_image::{Backend, Error, MAX_PICTURES, Picture, Pipeline, Request};

fn pipeline() -> Pipeline {
    Pipeline::load(&Backend::cpu()).unwrap()
}

fn request(pipeline: &Pipeline, text: &str, seed: u64) -> Request {
    Request::new(pipeline.prompt(text).unwrap(), seed, 2.0).unwrap()
}

fn draw(pipeline: &Pipeline, requests: &[Request]) -> Vec<Picture> {
    let mut denoising = pipeline.start(requests, 8).unwrap();
    while denoising.remaining() > 0 {
        denoising.step();
    }
    denoising.finish().unwrap()
}

fn draw_one(pipeline: &Pipeline, text: &str, seed: u64) -> Picture {
    draw(pipeline, &[request(pipeline, text, seed)]).remove(0)
}

fn original(name: &str, background: [u8; 3]) -> Picture {
    let index = data::captions().iter().position(|caption| caption.name == name).unwrap();
    data::cutouts().unwrap()[index].on(background)
}

#[test]
fn a_seed_gives_one_picture() {
    let pipeline = pipeline();
    let [first, same, other] = [7, 7, 8].map(|seed| draw_one(&pipeline, "pizza", seed));
    assert_eq!(first, same);
    assert_ne!(first, other);
}

#[test]
fn names_give_their_pictures() {
    let pipeline = pipeline();
    for (name, other) in [
        ("red heart", "blue heart"),
        ("pizza", "sun"),
        ("panda", "koala"),
        ("cat face", "dog face"),
        ("robot", "alien"),
        ("butterfly", "lady beetle"),
        ("avocado", "lemon"),
    ] {
        let drawn = draw_one(&pipeline, name, 1);
        let right = drawn.distance(&original(name, WHITE));
        let wrong = drawn.distance(&original(other, WHITE));
        assert!(right < wrong / 4.0, "{name}: {right} from its picture, {wrong} from {other}");
    }
}

#[test]
fn backgrounds_never_seen_with_a_picture_are_drawn() {
    let index = data::captions().iter().position(|caption| caption.name == "pizza").unwrap();
    let (colour, rgb) = COLOURS[data::unseen_background(index)];
    let drawn = draw_one(&pipeline(), &format!("pizza on a {colour} background"), 1);
    let right = drawn.distance(&original("pizza", rgb));
    let wrong = drawn.distance(&original("pizza", WHITE));
    assert!(right < wrong / 4.0, "{right} from pizza on {colour}, {wrong} from pizza on white");
}

#[test]
fn colours_that_a_picture_was_never_seen_in_are_drawn() {
    let index = data::captions().iter().position(|caption| caption.name == "lion").unwrap();
    let (colour, rgb) = COLOURS[data::unseen_paint(index, "lion").unwrap()];
    let drawn = draw_one(&pipeline(), &format!("{colour} lion"), 1);
    let painted = data::cutouts().unwrap()[index].painted(rgb).on(WHITE);
    let (right, wrong) = (drawn.distance(&painted), drawn.distance(&original("lion", WHITE)));
    assert!(right < wrong / 4.0, "{right} from a {colour} lion, {wrong} from a lion");
}

#[test]
fn what_is_drawn_together_is_what_is_drawn_alone() {
    let pipeline = pipeline();
    let requests =
        [("pizza", 1), ("red heart", 2)].map(|(text, seed)| request(&pipeline, text, seed));
    let together = draw(&pipeline, &requests);
    let alone = requests.map(|request| draw(&pipeline, &[request]).remove(0));
    for (together, alone) in together.iter().zip(&alone) {
        assert!(together.distance(alone) < 1e-6);
    }
}

#[test]
fn numbers_out_of_range_are_errors() {
    let pipeline = pipeline();
    let prompt = pipeline.prompt("pizza").unwrap();
    for scale in [-0.1, 20.1, f32::NAN] {
        assert!(matches!(Request::new(prompt.clone(), 0, scale), Err(Error::Guidance(_))));
    }
    let one = [request(&pipeline, "pizza", 0)];
    assert!(matches!(pipeline.start(&one, 0), Err(Error::Steps(0))));
    assert!(matches!(pipeline.start(&one, 1001), Err(Error::Steps(1001))));
    assert!(matches!(pipeline.start(&[], 9), Err(Error::Pictures(0))));
    let many = vec![one[0].clone(); MAX_PICTURES + 1];
    assert!(matches!(pipeline.start(&many, 9), Err(Error::Pictures(65))));
    assert!(matches!(pipeline.start(&one, 9).unwrap().finish(), Err(Error::Unfinished(9))));
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_build_without_cuda_takes_the_cpu_unless_cuda_is_asked_for() {
    use text_to_image::Choice;

    let auto = Backend::open(Choice::Auto).unwrap();
    assert_eq!(auto.name(), "cpu");
    assert_eq!(auto.to_string(), "the CPU; CUDA needs a build with `--features cuda`");
    assert!(matches!(Backend::open(Choice::Cuda), Err(Error::NoCudaBuild)));
}

#[test]
fn the_weights_stay_small() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/weights/emoji.bpk");
    assert!(fs::metadata(path).unwrap().len() <= 20_000_000);
}

#[test]
fn a_png_is_written_or_the_error_names_the_file() {
    let picture = original("pizza", WHITE);
    let folder = std::env::temp_dir();
    let path = folder.join(format!("text-to-image-{}.png", std::process::id()));
    picture.save(&path, 4).unwrap();
    let png = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(&png[16..24], [0, 0, 1, 0, 0, 0, 1, 0], "256 by 256");

    assert_eq!(picture.to_png(4), png);

    let error = picture.save(folder.join("no such folder/a.png"), 4).unwrap_err();
    assert!(error.to_string().contains("no such folder/a.png"), "{error}");
}

#[test]
fn threads_can_share_a_pipeline() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&pipeline());
}
