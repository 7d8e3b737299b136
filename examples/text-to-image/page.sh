#!/usr/bin/env bash
# The server's page in headless Chromium, Debian's, which is installed where it is missing.
# With SCREENSHOT=FILE.png, what it looks like is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    if ((EUID != 0)); then
        echo 'page.sh: Chromium is missing; install `chromium` and `chromium-driver`' >&2
        exit 1
    fi
    apt-get update --quiet --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends \
        chromium chromium-driver >/dev/null
fi

exec cargo test --release --package text-to-image --test serve -- --ignored
