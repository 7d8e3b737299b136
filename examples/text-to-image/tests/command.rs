//! The command, as it is run from a shell.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use text_to_image::data::{self, WHITE};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_text-to-image"));
    command
        .args(["generate", "--backend", "cpu"])
        .args(arguments)
        .env("OTEL_TRACES_EXPORTER", "console")
        .env("TRACEPARENT", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// One pixel of each square of 4 by 4, of a PNG that must be 256 by 256.
fn read(path: &Path) -> Vec<u8> {
    let file = BufReader::new(File::open(path).unwrap());
    let mut png = png::Decoder::new(file).read_info().unwrap();
    let mut rgb = vec![0; png.output_buffer_size().unwrap()];
    let info = png.next_frame(&mut rgb).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (256, 256, png::ColorType::Rgb));
    let rows = rgb.chunks_exact(3 * 256).step_by(4);
    rows.flat_map(|row| row.chunks_exact(3).step_by(4).flatten().copied()).collect()
}

fn distance(drawn: &[u8], name: &str) -> f64 {
    let index = data::captions().iter().position(|caption| caption.name == name).unwrap();
    let original = data::cutouts().unwrap()[index].on(WHITE);
    let pairs = drawn.iter().zip(original.rgb());
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), (a, b)| {
        (sum + (f64::from(a.abs_diff(*b)) / 255.0).powi(2), count + 1.0)
    });
    sum / count
}

#[test]
fn a_prompt_becomes_its_picture_and_a_trace() {
    let path = file("heart.png");
    let out = path.to_str().unwrap();
    let output = run(&["red heart", "--steps", "20", "--seed", "7", "--out", out]);
    let trace = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{trace}");

    let drawn = read(&path);
    let (right, wrong) = (distance(&drawn, "red heart"), distance(&drawn, "pizza"));
    assert!(right < 0.01 && right < wrong / 10.0, "{right} from its picture, {wrong} from pizza");

    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, format!("{out} with seed 7, trace {TRACE}\n"));
    let names: Vec<&str> = trace
        .lines()
        .skip_while(|line| line.starts_with("text-to-image: runs on the CPU"))
        .map(|line| line.trim_start_matches(['│', '├', '└', '─', ' ']))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let steps = ["denoise-step", "denoise-step", "…"];
    assert_eq!(names[..3], ["warmup", "text-to-image", "inference"]);
    assert_eq!((&names[3..6], &names[6..]), (&steps[..], &["upload"][..]));
    assert!(trace.contains("… 18 more denoise-step, "), "{trace}");
}

#[test]
fn bad_input_is_one_line_that_says_what_to_do() {
    for (arguments, expected) in [
        (&["xyzzy"][..], "no word of `xyzzy` is known; try `red heart`"),
        (&["pizza", "--steps", "0"], "the number of steps is 0, it must be 1 to 1000"),
        (&["pizza", "--guidance", "NaN"], "the guidance scale is NaN, it must be 0 to 20"),
        (&["pizza", "--steps", "1", "--out", "/no/folder/a.png"], "`/no/folder/a.png`: "),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let last = said.lines().last().unwrap();
        assert!(last.starts_with("text-to-image: "), "{said}");
        assert!(last.contains(expected), "{said}");
        assert!(said.contains(" ✗ "), "the trace tells of it too: {said}");
    }
}

#[test]
fn several_prompts_are_several_pictures_or_one_sheet() {
    let path = file("several.png");
    let out = path.to_str().unwrap();
    let prompts = ["pizza", "red heart", "sun"];
    let drawn = |more: &[&str]| {
        let output =
            run(&[&prompts[..], &["--steps", "2", "--seed", "7", "--out", out], more].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        (said, String::from_utf8(output.stderr).unwrap())
    };
    let (said, trace) = drawn(&["--batch", "2"]);
    let lines: Vec<&str> = said.lines().collect();
    for (line, (number, seed)) in lines.iter().zip([(1, 7), (2, 8), (3, 9)]) {
        let path = out.replace(".png", &format!("-{number}.png"));
        assert_eq!(*line, format!("{path} with seed {seed}, trace {TRACE}"));
        assert_eq!(read(Path::new(&path)).len(), 3 * 64 * 64);
    }
    assert_eq!(lines.len(), 3);
    assert_eq!(trace.matches("─ inference ").count(), 2, "two at a time: {trace}");

    let (said, _) = drawn(&["--sheet"]);
    assert_eq!(said, format!("{out} with seed 7, trace {TRACE}\n"));
    let sheet = png::Decoder::new(BufReader::new(File::open(&path).unwrap())).read_info().unwrap();
    assert_eq!((sheet.info().width, sheet.info().height), (8 * 64, 64));
}

#[test]
fn unknown_words_are_told_of() {
    let path = file("pizza.png");
    let output = run(&["pizza xyzzy", "--steps", "1", "--out", path.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.ends_with("words that the model has never seen: xyzzy\n"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_picture_that_is_interrupted_leaves_its_whole_trace() {
    let path = file("interrupted.png");
    let mut program = command(&["pizza", "--steps", "1000", "--out", path.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(program.stderr.take().unwrap());
    let mut trace = String::new();
    while !trace.starts_with("warmup ") {
        trace.clear();
        assert_ne!(stderr.read_line(&mut trace).unwrap(), 0, "it never warmed up");
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let killed = Command::new("kill").arg(program.id().to_string()).status();
    assert!(killed.unwrap().success());
    stderr.read_to_string(&mut trace).unwrap();
    program.wait().unwrap();
    for span in ["text-to-image ", "└─ inference ", "   ├─ denoise-step "] {
        assert!(trace.contains(span), "{trace}");
    }
    assert!(trace.contains("spandrel.interrupted=true"), "{trace}");
}
