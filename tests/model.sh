#!/usr/bin/env bash
# Runs the models of what several threads do at once: loom tries every order of their steps.
set -euo pipefail
cd "$(dirname "$0")/.."

# Apart from the other builds: a cfg makes everything anew.
export RUSTFLAGS="--cfg spandrel_model" CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/model
exec cargo test --release --package spandrel --lib --no-default-features --features app,otlp recorder::loom_tests "$@"
