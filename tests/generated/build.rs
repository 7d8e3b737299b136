//! Writes the functions, so that one build compiles all of them.
//!
//! `GENERATED_SEED=7 GENERATED_FUNCTIONS=2000 cargo test -p spandrel-generated-tests` composes others, and more.

mod body;
mod grammar;
mod random;
mod signature;

use std::path::Path;
use std::{env, fs};

fn number(variable: &str, default: u64) -> u64 {
    println!("cargo::rerun-if-env-changed={variable}");
    env::var(variable).ok().map_or(default, |text| text.parse().expect("a number"))
}

fn main() {
    let (seed, count) = (number("GENERATED_SEED", 1), number("GENERATED_FUNCTIONS", 400));
    let out = env::var_os("OUT_DIR").expect("Cargo says where");
    fs::write(Path::new(&out).join("functions.rs"), grammar::crate_of(seed, count))
        .expect("the folder can be written to");
}
