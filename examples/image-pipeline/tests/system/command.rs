//! One prompt, from the command to the picture.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use collector::Collector;
use text_to_image::{Backend, Choice, Pipeline, Request};

use crate::program::{FOLDER, assert_whole, kill, program, reporting, services};

#[test]
fn both_services_are_in_one_trace() {
    let collector = Collector::start().unwrap();
    let arguments = ["Red  HEART ", "--seed", "7", "--out", "heart.png"];
    let run = reporting(&collector, &arguments)
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{said}");
    assert_eq!(said, format!("image-pipeline: spans go to {}\n", collector.endpoint()));

    let [trace] = &collector.traces()[..] else { panic!("{:?}", collector.traces()) };
    let said = String::from_utf8(run.stdout).unwrap();
    assert_eq!(said, format!("./heart.png with seed 7, trace {trace}\n"));
    assert_eq!(
        collector.outline(trace).unwrap(),
        r#"image-pipeline [server] service.name="image-pipeline" num_inference_steps=20
├─ preprocess prompt.length=9
└─ request-inference [client] http.response.status_code=200
   └─ inference [server] service.name="image-worker" model.name="emoji-64" num_inference_steps=20 guidance_scale=2
      ├─ diffusion prompt.length=9 spandrel.device.name="cpu" spandrel.device.timing="synchronized"
      └─ upload image.url="./heart.png"
"#
    );

    let pipeline = Pipeline::load(&Backend::open(Choice::Auto).unwrap()).unwrap();
    let prompt = pipeline.prompt("red heart").unwrap();
    let mut denoising = pipeline.start(&[Request::new(prompt, 7, 2.0).unwrap()], 20).unwrap();
    while denoising.remaining() > 0 {
        denoising.step();
    }
    let expected = Path::new(FOLDER).join("expected.png");
    denoising.finish().unwrap()[0].save(&expected, 4).unwrap();
    assert_eq!(fs::read(Path::new(FOLDER).join("heart.png")).unwrap(), fs::read(expected).unwrap());
}

#[test]
fn the_trace_is_drawn() {
    let run = program(&["pizza xyzzy", "--steps", "2", "--out", "pizza.png"]).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let [root, preprocess, request, inference, diffusion, upload, unknown] = lines[..] else {
        panic!("{said}")
    };
    assert!(root.starts_with("image-pipeline [server] "), "{said}");
    assert!(preprocess.starts_with("├─ preprocess "), "{said}");
    assert!(request.starts_with("└─ request-inference [client] "), "{said}");
    assert!(inference.starts_with("   └─ inference [server] "), "{said}");
    assert!(inference.contains(r#" service.name="image-worker" "#), "{said}");
    assert!(diffusion.starts_with("      ├─ diffusion "), "{said}");
    assert!(upload.starts_with("      └─ upload "), "{said}");
    assert_eq!(unknown, "image-pipeline: words that the model has never seen: xyzzy");
}

#[test]
fn what_goes_wrong_is_said_with_what_to_do_and_traced() {
    for (arguments, expected, failed) in [
        (&["xyzzy"][..], "no word of `xyzzy` is known; try `red heart`, ", "└─ diffusion "),
        (&[" "], "the prompt is empty; say what to draw, ", "└─ preprocess "),
        (&["pizza", "--steps", "0"], "the number of steps is 0, it must be ", "└─ diffusion "),
        (
            &["pizza", "--steps", "1", "--out", "no/folder/a.png"],
            "`no/folder/a.png`: No such file or directory (os error 2); name a folder ",
            "└─ upload ",
        ),
    ] {
        let run = program(arguments).output().unwrap();
        assert_eq!(run.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(run.stderr).unwrap();
        let last = said.lines().last().unwrap();
        assert!(last.starts_with(&format!("image-pipeline: {expected}")), "{said}");
        let mut lines = said.lines().filter(|line| line.contains(&format!("✗ {expected}")));
        assert!(lines.any(|line| line.trim_start().starts_with(failed)), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_dies_is_told_of() {
    let mut program = program(&["pizza", "--steps", "1000", "--out", "died.png"]);
    let program = program.stderr(Stdio::piped()).spawn().unwrap();
    kill(
        "-KILL",
        loop {
            sleep(Duration::from_millis(20));
            // The worker is ready when the pipeline is started.
            if let [worker, _] = services(&program)[..] {
                break worker;
            }
        },
    );
    let run = program.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.lines().last().unwrap().starts_with("image-pipeline: no answer from "), "{said}");
    let request = said.lines().find(|line| line.starts_with("└─ request-inference [client] "));
    assert!(request.is_some_and(|line| line.contains("✗ no answer from ")), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_is_interrupted_loses_no_span() {
    let collector = Collector::start().unwrap();
    let mut program = reporting(&collector, &["pizza", "--steps", "1000", "--out", "cut.png"]);
    let program =
        program.env("OTEL_BSP_SCHEDULE_DELAY", "10").stderr(Stdio::piped()).spawn().unwrap();
    // What is first to end, and to be reported, ends before the worker is asked.
    while collector.traces().is_empty() {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(300));
    let services = services(&program);
    kill("-TERM", program.id());
    let run = program.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.ends_with("image-pipeline: interrupted before the picture was done\n"), "{said}");

    let [trace] = &collector.traces()[..] else { panic!("{:?}", collector.traces()) };
    assert_whole(&collector.spans(trace));
    let outline = collector.outline(trace).unwrap();
    // The request is given up by who serves it, or ended with everything that is open.
    let root = outline.lines().next().unwrap();
    let ends = ["spandrel.cancelled=true", "spandrel.interrupted=true"];
    assert!(ends.iter().any(|end| root.contains(end)), "{outline}");
    assert_eq!(services.len(), 2);
    for id in services {
        assert!(!Path::new("/proc").join(id.to_string()).exists(), "a service is still there");
    }
}
