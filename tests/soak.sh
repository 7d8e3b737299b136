#!/usr/bin/env bash
# 10 000 spans a second, for ten minutes or as many seconds as is said; the collector is away for
# ten of them, twice. Prints the program's memory on the way, and fails when a span is missing.
#
#     tests/soak.sh [seconds]
set -euo pipefail
cd "$(dirname "$0")/.."

SOAK="${1:-600}" cargo test --quiet --release --package spandrel-tests --test faults -- \
    --ignored --exact load::soak --nocapture
