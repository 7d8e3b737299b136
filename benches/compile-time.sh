#!/usr/bin/env bash
# How long a crate of 300 annotated functions takes to build, sync and async half and half, after
# its dependencies, in debug: with #[span], with #[tracing::instrument], and with neither.
# Prints the processor seconds of each round, the least of them, and their ratios.
#
#   benches/compile-time.sh [rounds]
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
root=$PWD
place=${CARGO_TARGET_DIR:-$root/target}/compile-time
# Everything anew, not what incremental builds kept.
export CARGO_INCREMENTAL=0
mkdir -p "$place"

# crate NAME DEPENDENCY ATTRIBUTE
crate() {
    local name=$1 dependency=$2 attribute=$3 number
    mkdir -p "$place/$name/src"
    cat >"$place/$name/Cargo.toml" <<TOML
[package]
name = "$name"
version = "0.0.0"
edition = "2024"

[dependencies]
$dependency

[workspace]
TOML
    {
        echo 'use std::io::{Error, Read};'
        echo 'use std::pin::Pin;'
        for number in $(seq 75); do
            cat <<RUST
${attribute//NUMBER/$number}
pub fn count$number(id: u64, texts: &[String]) -> usize {
    texts.iter().filter(|text| text.len() as u64 > id).count()
}

${attribute//NUMBER/$number}
pub fn read$number(id: u64, source: &mut impl Read) -> Result<String, Error> {
    let mut text = String::new();
    source.take(id).read_to_string(&mut text)?;
    Ok(text)
}

${attribute//NUMBER/$number}
pub async fn both$number(id: u64, first: impl Future<Output = u64>) -> u64 {
    let first = first.await;
    id + first + std::future::ready(id).await
}

${attribute//NUMBER/$number}
pub async fn parse$number(id: u64, text: String) -> Result<u64, Error> {
    let number: u64 = text.parse().map_err(Error::other)?;
    std::future::ready(()).await;
    Ok(number + id)
}

// What is generic or async is built where it is used.
pub fn uses$number() -> Pin<Box<dyn Future<Output = Result<u64, Error>>>> {
    Box::pin(async {
        let text = read$number($number, &mut std::io::empty())?;
        let count = count$number(1, &[text.clone()]) as u64;
        Ok(parse$number(count, text).await? + both$number(1, async { 2 }).await)
    })
}
RUST
        done
    } >"$place/$name/src/lib.rs"
    (cd "$place/$name" && cargo build --quiet --offline 2>/dev/null || cargo build --quiet)
}

crate plain '' ''
crate span "spandrel = { path = \"$root/runtime\", default-features = false }" \
    '#[spandrel::span("functionNUMBER", id = id)]'
crate instrument 'tracing = "0.1"' \
    '#[tracing::instrument(name = "functionNUMBER", skip_all, fields(id = id))]'
crate instrument-err 'tracing = "0.1"' \
    '#[tracing::instrument(name = "functionNUMBER", skip_all, fields(id = id))]'
sed -i '/skip_all/{N;/read\|parse/s/id = id))/id = id), err)/}' "$place/instrument-err/src/lib.rs"

declare -A least
TIMEFORMAT='%U %S'
for round in $(seq "$rounds"); do
    for name in plain span instrument instrument-err; do
        touch "$place/$name/src/lib.rs"
        spent=$({ time (cd "$place/$name" && cargo build --quiet --offline) >&2; } 2>&1 | tail -1)
        spent=$(awk '{ printf "%.2f", $1 + $2 }' <<<"$spent")
        printf 'round %s: %-14s %s s\n' "$round" "$name" "$spent"
        least[$name]=$(awk -v a="${least[$name]:-999}" -v b="$spent" 'BEGIN { print a < b ? a : b }')
    done
done
echo
for name in plain span instrument instrument-err; do
    printf '%-14s %s s\n' "$name" "${least[$name]}"
done
for peer in instrument instrument-err; do
    awk -v ours="${least[span]}" -v theirs="${least[$peer]}" -v peer="$peer" \
        'BEGIN { printf "span / %s = %.2f\n", peer, ours / theirs }'
done
