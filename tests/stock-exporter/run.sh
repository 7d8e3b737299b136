#!/usr/bin/env bash
# OpenTelemetry's own exporter as the program's exporter, with each of its clients: everything arrives, in
# a debug build, where those clients check more, and in a release build.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="$(realpath "${CARGO_TARGET_DIR:-target}")"
for profile in debug release; do
    build=(cargo build --quiet --package spandrel-stock-exporter)
    if [ "$profile" = release ]; then build+=(--release); fi
    "${build[@]}"
    STOCK_EXPORTER="$target/$profile/stock-exporter" cargo test --quiet --package spandrel-tests \
        --test faults -- --ignored --exact own_sdk::the_stock_exporter_works_with_each_of_its_clients
done
