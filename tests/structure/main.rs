//! How files may import each other: those of the runtime by layers, and none in circles. Whoever imports what a
//! file re-exports imports the file that defines it.

mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use imports::{Imports, imports};

/// The folders and files of `runtime/src`, the lowest first. Each imports from those above it in this list only. What
/// users and macros import (`lib.rs`, `__private.rs`) and what fuzzes the crate may import anything.
const LAYERS: &[&[&str]] = &[
    &["clean", "device", "encoding", "flushed", "fork", "internal_threads", "lock", "report"],
    &["attribute", "environment", "tree"],
    &["context", "outcome", "recorder"],
    &["propagation", "stats"],
    &["sdk"],
    &["config", "span"],
    &["exporter", "logs", "sampling", "testing"],
    &["delivery"],
    &["app"],
];
/// Two files that do import each other: a slot refers to the slot of the span that its own was started in, and a
/// reference finds its slot.
const TOGETHER: &[&str] = &["recorder::local", "recorder::slot"];
const ANY: &[&str] = &["lib", "__private", "fuzzing"];

fn layer(folder: &str) -> usize {
    let layer = LAYERS.iter().position(|layer| layer.contains(&folder));
    layer.unwrap_or_else(|| panic!("`{folder}` is in no layer: add it to `LAYERS`"))
}

/// The folder, or the file, of `runtime/src` that a module is in.
fn folder(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// What each file imports, by module.
fn files() -> Imports {
    let files = imports("runtime/src");
    assert!(files.len() > 100, "the files of the runtime are found");
    files
}

#[test]
fn folders_import_from_lower_layers_only() {
    let mut wrong = BTreeSet::new();
    for (file, imported) in files() {
        let from = folder(&file);
        if ANY.contains(&from) {
            continue;
        }
        for module in imported {
            let to = folder(&module);
            if to != from && (ANY.contains(&to) || layer(to) >= layer(from)) {
                wrong.insert(format!("{file} imports {module}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The files that an import leads to from this one, however far.
fn reached<'a>(files: &'a Imports, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for imported in files.get(file).into_iter().flatten() {
            if reached.insert(imported.as_str()) {
                next.push(imported);
            }
        }
    }
    reached
}

/// The files that import each other, in any number of steps.
fn circles(files: &Imports) -> BTreeSet<Vec<&str>> {
    let mut circles = BTreeSet::new();
    for file in files.keys() {
        let back = |other: &&str| reached(files, other).contains(file.as_str());
        let circle: Vec<&str> = reached(files, file).into_iter().filter(back).collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    let mut files = files();
    files.retain(|file, _| !ANY.contains(&folder(file)));
    assert_eq!(circles(&files), BTreeSet::from([TOGETHER.to_vec()]));
    let macros = imports("macros/src");
    assert!(macros.len() > 30, "the files of the macros are found");
    assert_eq!(circles(&macros), BTreeSet::new());
}

#[test]
fn every_layer_is_there() {
    let files = files();
    let folders: BTreeSet<&str> = files.keys().map(|file| folder(file)).collect();
    for name in LAYERS.iter().copied().flatten().chain(ANY) {
        assert!(folders.contains(name), "there is no `{name}` any more");
    }
}

/// Only expansions name what is private to them.
#[test]
fn nobody_uses_what_is_private() {
    let mut folders = vec![
        "examples",
        "benches",
        "burn",
        "tests/behaviour",
        "tests/faults",
        "tests/programs",
        "README.md",
    ]
    .into_iter()
    .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))
    .collect::<Vec<_>>();
    let mut files = 0;
    while let Some(path) = folders.pop() {
        if path.is_dir() {
            let entries =
                fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path());
            folders.extend(entries.filter(|path| !path.ends_with("target")));
        } else if let Ok(text) = fs::read_to_string(&path) {
            files += 1;
            assert!(!text.contains("spandrel::__private"), "{}", path.display());
        }
    }
    assert!(files > 100, "the files are found");
}

/// ARCHITECTURE names files and folders that are there.
#[test]
fn the_architecture_names_what_is_there() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(repository.join("ARCHITECTURE.md")).expect("the page");
    let is_path = |word: &&str| {
        let letters = |c: char| c.is_ascii_lowercase() || "_/.-".contains(c);
        word.contains('/') && word.chars().all(letters)
    };
    let named: BTreeSet<&str> = text.split('`').skip(1).step_by(2).filter(is_path).collect();
    assert!(named.len() > 40, "the names are found");
    for name in named {
        let roots = ["", "runtime/src", "macros/src"];
        let is_there = roots.iter().any(|root| {
            let path = repository.join(root).join(name);
            path.exists() || path.with_extension("rs").exists()
        });
        assert!(is_there, "there is no `{name}`");
    }
}
