//! Draws pictures from a few words, each with its trace:
//!
//! ```text
//! cargo run --release -p text-to-image -- generate "red heart" --out heart.png
//! cargo run --release -p text-to-image -- serve
//! ```

mod backend;
mod bench;
mod generate;
mod model;
mod serve;
mod train;

use std::process::ExitCode;

use clap::Parser;

/// Draws 64×64 pictures from a few words, with a diffusion model.
#[derive(Debug, Parser)]
enum Command {
    Generate(generate::Arguments),
    Serve(serve::Arguments),
    Train(train::Arguments),
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Generate(arguments) => generate::run(arguments).map_err(|error| error.to_string()),
        Command::Serve(arguments) => serve::run(arguments).map_err(|error| error.to_string()),
        Command::Train(arguments) => train::run(&arguments).map_err(|error| error.to_string()),
        Command::Bench(arguments) => bench::run(arguments).map_err(|error| error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("text-to-image: {error}");
            ExitCode::FAILURE
        }
    }
}
