#!/usr/bin/env bash
# Sends spans to a real OpenTelemetry Collector over each protocol with each compression. Fails
# unless every span arrives exactly once, is reported as exported, and nothing is written to
# standard error. Prints a Markdown table.
#
#     tests/collector/run.sh               # builds `burst`, and builds the Collector once
#     BURST=path tests/collector/run.sh    # runs this `burst` and does not call cargo
set -euo pipefail

if ! command -v go >/dev/null; then
    echo 'skipped: the Collector is built with Go, and `go` is not in PATH' >&2
    exit 0
fi

if [[ -n "${BURST:-}" ]]; then burst="$(realpath "$BURST")"; fi
cd "$(dirname "$0")/../.."
here=tests/collector
target="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")"

# Builds the Collector, unless an earlier run has built the same manifest. Sets `collector`.
build_collector() {
    local manifest version hash cache
    manifest="$(realpath "$here/manifest.yaml")"
    version="$(sed -n 's/^  version: //p' "$manifest")"
    hash="$(sha256sum "$manifest" | cut -c 1-12)"
    cache="$target/collector/$version-$hash"
    collector="$cache/collector"
    [[ -x "$collector" ]] && return 0
    echo "building the Collector $version, which takes some minutes the first time" >&2
    rm -rf "$cache"
    mkdir -p "$cache/work"
    (
        cd "$cache/work"
        # The builder leaves an empty temporary folder behind.
        export TMPDIR="$PWD"
        # The folder may lie in a Git repository whose state Go cannot read.
        GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
        export GOFLAGS
        GOBIN="$PWD" nice go install "go.opentelemetry.io/collector/cmd/builder@v$version"
        nice ./builder --config "$manifest"
        # Only a finished build reaches this line, so an interrupted one is not used later.
        mv build/collector "$collector"
    ) >&2
    rm -rf "$cache/work"
}

# Runs the command every tenth of a second until it succeeds, for 30 seconds at most.
wait_until() {
    local attempt
    for ((attempt = 0; attempt < 300; attempt++)); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

has_ended() { ! kill -0 "$1" 2>/dev/null; }

end() {
    kill -TERM "$1" 2>/dev/null || return 0
    wait_until has_ended "$1" || kill -KILL "$1"
}

# `jobs -pr` lists the ids of the processes that this script started and that still run.
clean_up() {
    local pid
    for pid in $(jobs -pr); do end "$pid" || true; done
    rm -rf "$folder"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

is_healthy_or_has_ended() {
    has_ended "$collector_pid" || { answers "$grpc_port" && answers "$http_port"; }
}

fail_with_log() {
    echo "$1; its log follows" >&2
    cat "$folder/log" >&2
    exit 1
}

start_collector() {
    local ports
    # Both sockets are open at the same time, so that the two ports differ.
    ports="$(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(socket.getsockname()[1] for socket in sockets))')"
    read -r grpc_port http_port <<<"$ports"
    COLLECTOR_GRPC_PORT="$grpc_port" COLLECTOR_HTTP_PORT="$http_port" \
        COLLECTOR_SPANS="$folder/spans.json" \
        "$collector" --config "$here/config.yaml" >"$folder/log" 2>&1 &
    collector_pid=$!
    wait_until is_healthy_or_has_ended || fail_with_log 'the Collector does not answer'
    ! has_ended "$collector_pid" || fail_with_log 'the Collector does not start'
}

# The Collector's exporter flushes and closes its file before the Collector ends.
stop_collector() {
    local code=0
    end "$collector_pid"
    wait "$collector_pid" || code=$?
    ((code == 0)) || fail_with_log "the Collector ended with exit code $code"
}

waits_for_signal_or_has_ended() { has_ended "$1" || grep -qs '^waiting$' "$2"; }

# Runs the program once and keeps its output and its exit code in a folder for `report.py`.
row() {
    local protocol="$1" compression="$2" ending="$3" spans="$4"
    local service="$protocol, $compression, $ending" port="$http_port" code=0 files pid
    [[ "$protocol" != grpc ]] || port="$grpc_port"
    rows=$((rows + 1))
    files="$folder/row-$(printf '%02d' "$rows")"
    mkdir "$files"

    OTEL_SERVICE_NAME="$service" OTEL_EXPORTER_OTLP_PROTOCOL="$protocol" \
        OTEL_EXPORTER_OTLP_COMPRESSION="$compression" \
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:$port" \
        "$burst" none "$spans" 0 "$ending" >"$files/stdout" 2>"$files/stderr" &
    pid=$!
    if [[ "$ending" == signal ]]; then
        wait_until waits_for_signal_or_has_ended "$pid" "$files/stdout" || true
        kill -TERM "$pid" 2>/dev/null || true
    fi
    wait_until has_ended "$pid" || kill -KILL "$pid"
    wait "$pid" || code=$?
    printf '%s\n' "$protocol" "$compression" "$ending" "$spans" "$code" "$service" >"$files/row"
}

build_collector
if [[ -z "${burst:-}" ]]; then
    cargo build --quiet --package spandrel-tests --bin burst
    burst="$target/debug/burst"
fi

# Settings in the caller's environment would change the program, and a proxy cannot reach loopback.
for variable in $(compgen -e OTEL_) $(compgen -e SPANDREL_); do unset "$variable"; done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

folder="$(mktemp -d)"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rows=0
start_collector
for protocol in http/protobuf http/json grpc; do
    for compression in none gzip zstd; do
        row "$protocol" "$compression" return 1000
    done
done
for protocol in http/protobuf http/json grpc; do
    row "$protocol" none signal 200
done
stop_collector
python3 "$here/report.py" "$folder"
