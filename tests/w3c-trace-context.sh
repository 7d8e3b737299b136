#!/usr/bin/env bash
# The W3C working group's suite of Trace Context against a service that is traced with this library, strictly,
# at level 1 and at level 2. It needs Python with aiohttp (`pip install aiohttp`), and a checkout of the suite:
#
#     git clone https://github.com/w3c/trace-context
#     tests/w3c-trace-context.sh trace-context
set -euo pipefail
suite=$(cd "${1:?the path of a checkout of github.com/w3c/trace-context}/test" && pwd)
cd "$(dirname "$0")/.."

cargo build --quiet --package spandrel-tests --bin w3c-service
exec {service}< <(OTEL_TRACES_EXPORTER=none exec "${CARGO_TARGET_DIR:-target}/debug/w3c-service")
pid=$!
trap 'kill "$pid"' EXIT
read -r -u "$service" url

cd "$suite"
for level in 1 2; do
    echo "== level $level"
    STRICT_LEVEL=2 SPEC_LEVEL=$level python3 -B test.py "$url"
done
