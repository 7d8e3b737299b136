#!/usr/bin/env bash
# What the CUDA build must show on a machine with an NVIDIA GPU, NVRTC and its headers:
#
#   ./gpu.sh FOLDER
#
# FOLDER holds `text-to-image` and `train`, built where crates.io can be reached:
#
#   ./offline-cuda.sh build --release
#   strip ../../target/offline-cuda/release/{text-to-image,train}
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

say() { printf '\n== %s\n' "$*"; }

say 'the device'
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv

say 'a cold picture, then a warm one, and their traces'
export OTEL_TRACES_EXPORTER=console
"$bin/text-to-image" 'red heart' --steps 20 --seed 7 --out heart.png
"$bin/text-to-image" 'red heart' --steps 20 --seed 7 --out again.png
cmp heart.png again.png

say 'every picture is the right one'
"$bin/train" --score

say 'training steps'
time "$bin/train" --steps 50 --threads 1 --batch 256 --every 50 --out weights.bpk
