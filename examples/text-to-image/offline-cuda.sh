#!/usr/bin/env bash
# Cargo for the CUDA build, where crates.io is all that can be reached:
#
#   ./offline-cuda.sh check
#   ./offline-cuda.sh build --release
#
# `cargo … --features cuda` downloads LLVM; here a stand-in takes its place and
# NVRTC compiles the kernels, see offline-cuda/src/lib.rs. That changes what
# Cargo.lock says, so cargo works on a copy of the workspace, in the target
# folder, and so are its results: target/offline-cuda/{debug,release}.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 CARGO-COMMAND [OPTION]..." >&2; exit 2; }
example=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$example/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
target=$(cd "$target" && pwd -P)
results=$target/offline-cuda
copy=$results/workspace

rm -rf "$copy"
mkdir -p "$copy"
tar -C "$root" --exclude="./${target#"$root/"}" --exclude=./target --exclude=./.git -cf - . |
    tar -C "$copy" -xf -
cd "$copy${example#"$root"}"

command=$1
shift
CARGO_TARGET_DIR=$results exec cargo "$command" \
    --config "patch.crates-io.cubecl-llvm.path='$PWD/offline-cuda'" \
    --features cuda-nvrtc "$@"
