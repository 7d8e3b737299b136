#!/usr/bin/env bash
# What arrives under each fault of the collector, and how long the shutdown takes: ours beside
# OpenTelemetry's own batch processor and exporter, in the same run. Prints Markdown.
#
#     tests/matrix.sh              # all rows
#     tests/matrix.sh '503, grpc'  # those with this in their name
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --release --package spandrel-stock
STOCK_BURST="$(realpath "${CARGO_TARGET_DIR:-target}")/release/stock-burst" MATRIX="${1:-}" \
    cargo test --quiet --release --package spandrel-tests --test faults -- \
    --ignored --exact matrix::table --nocapture | grep '^|'
