#!/usr/bin/env bash
# Where a panic aborts, it flushes first. No test like the others: everything is built again in a
# profile of its own.
set -euo pipefail
cd "$(dirname "$0")/../../.."

cargo build --quiet --profile abort --package spandrel-abort-user
status=0
said=$(OTEL_TRACES_EXPORTER=console "${CARGO_TARGET_DIR:-target}/abort/abort-user" 2>&1) || status=$?

[[ $status -eq 134 ]] || { echo "ended with $status, not by SIGABRT"; exit 1; }
grep -q '^main .*spandrel.interrupted=true' <<<"$said" || { echo "no span of main: $said"; exit 1; }
grep -q '└─ work .*✗ out of luck' <<<"$said" || { echo "no span that failed: $said"; exit 1; }
! grep -q 'still there' <<<"$said" || { echo "the panic did not abort"; exit 1; }
echo 'a panic that aborts flushes'
