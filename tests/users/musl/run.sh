#!/usr/bin/env bash
# What is told of a program that is linked with musl, which runs no destructors of thread-local variables when
# the process exits: its spans, and its exit code is its own.
set -euo pipefail
cd "$(dirname "$0")/../../.."

target="$(uname -m)-unknown-linux-musl"
if ! rustup target list --installed 2>/dev/null | grep -qx "$target"; then
    echo "skipped: Rust's target $target is not installed (rustup target add $target)"
    exit 0
fi
cargo build --quiet --package spandrel-musl-user --target "$target"
program="${CARGO_TARGET_DIR:-target}/$target/debug/musl-user"
code=0
told=$(OTEL_TRACES_EXPORTER=console "$program" 2>&1) || code=$?
printf '%s\n' "$told"
grep -q 'order .*spandrel.interrupted=true' <<<"$told"
grep -q 'pack ' <<<"$told"
[ "$code" -eq 3 ]
