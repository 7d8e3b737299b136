#!/usr/bin/env bash
# What the CUDA build must show on a machine with an NVIDIA GPU, NVRTC and its headers:
#
#   ./gpu.sh BINARY [FOLDER]
#
# It writes GPU.md, and what it drew and trained, into FOLDER (default: here). BINARY may be
# compressed by `xz`. Where crates.io can be reached, it is built by
#
#   ./offline-cuda.sh build --release
#   strip ../../target/offline-cuda/release/text-to-image
#
# TRAIN=STEPS trains the model anew, scores it and leaves the weights; the default, 200, is to
# see how fast that is. All of it with TRAIN=0 takes some five minutes.
set -euo pipefail

(($# == 1 || $# == 2)) || { echo "usage: $0 BINARY [FOLDER]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$here}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $1 in
*.xz) xz --decompress --stdout "$1" >"$work/text-to-image" ;;
*) cp "$1" "$work/text-to-image" ;;
esac
chmod +x "$work/text-to-image"
cd "$work"
export CUDA_PATH=${CUDA_PATH:-/usr/local/cuda}
export LD_LIBRARY_PATH=$CUDA_PATH/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
app=./text-to-image
failed=()

# Says what it does, does it, and goes on whatever comes of it.
step() {
    printf '\n== %s\n' "$1"
    "${@:2}" || failed+=("$1")
}

device() { nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader; }

# Cold, then with what the first one left behind; with the trace as it is drawn in a terminal.
first_pictures() {
    local arguments=(generate --backend cuda 'red heart' --steps 20 --seed 7 --out)
    OTEL_TRACES_EXPORTER=console "$app" "${arguments[@]}" "$out/heart.png" 2>cold.txt
    OTEL_TRACES_EXPORTER=console "$app" "${arguments[@]}" again.png 2>warm.txt
    cat cold.txt warm.txt
    cmp "$out/heart.png" again.png
}

measure() { "$app" bench --backend cuda >measured.md && cat measured.md; }

score() { "$app" train --score --backend cuda --checkpoints scored | grep ' right, distance' | tee score.txt; }

train() {
    local begin=$SECONDS
    "$app" train --backend cuda --threads 1 --batch 256 --steps "$1" --every "$1" \
        --checkpoints trained --out "$out/weights.bpk" | grep -v 'looks like' | tee trained.txt
    echo "$1 steps of 256 pictures, with the scores, in $((SECONDS - begin)) s" | tee -a trained.txt
}

report() {
    echo '# On a GPU'
    echo
    echo "$(device), $(date +%F), by \`gpu.sh\`."
    if ((${#failed[@]})); then printf '\nFailed: %s.\n' "${failed[*]}"; fi
    printf '\n## The first picture, and the next process\n'
    for trace in cold.txt warm.txt; do printf '\n```text\n%s\n```\n' "$(cat "$trace")"; done
    printf '\n## Measured\n\n'
    cat measured.md
    printf '\n## Every picture by its name\n\n```text\n%s\n```\n' "$(cat score.txt)"
    [[ ! -e trained.txt ]] || printf '\n## Training\n\n```text\n%s\n```\n' "$(cat trained.txt)"
}

touch cold.txt warm.txt measured.md score.txt
step 'the device' device
step 'the first picture, and the same one again' first_pictures
step 'agreement, truth, cost, throughput' measure
step 'every picture is the right one' score
((${TRAIN:=200} == 0)) || step 'training' train "$TRAIN"
report >"$out/GPU.md"
if ((${#failed[@]})); then
    printf '\nfailed: %s\n' "${failed[@]}" >&2
    exit 1
fi
printf '\n%s/GPU.md\n' "$out"
