#!/usr/bin/env bash
# What 300 annotated functions, sync and async half and half, cost to build, in debug and after their
# dependencies, and how much larger each makes a program, in release: with #[span], with
# #[tracing::instrument], and with neither. Prints the least of the rounds as a table in Markdown, and the
# rounds as they come on standard error. The benches read the table from target/compile-time/table.md.
#
#   benches/compile-time.sh [rounds]
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
root=$PWD
place=${CARGO_TARGET_DIR:-$root/target}/compile-time
# Everything anew, not what incremental builds kept; but dependencies once.
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$place/target
mkdir -p "$place"

# crate NAME DEPENDENCY ATTRIBUTE GROUPS: of four functions, and one that uses them.
crate() {
    local name=$1 dependency=$2 attribute=$3 groups=$4 number
    mkdir -p "$place/$name/src"
    cat >"$place/$name/Cargo.toml" <<TOML
[package]
name = "$name"
version = "0.0.0"
edition = "2024"

[dependencies]
$dependency

[profile.release]
strip = true

[workspace]
TOML
    {
        echo 'use std::io::{Error, Read};'
        echo 'use std::pin::Pin;'
        for number in $(seq "$groups"); do
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
        echo 'pub fn all() -> Vec<Pin<Box<dyn Future<Output = Result<u64, Error>>>>> {'
        echo "    vec![$(printf 'uses%s(), ' $(seq "$groups"))]"
        echo '}'
    } >"$place/$name/src/lib.rs"
    cat >"$place/$name/src/main.rs" <<RUST
use std::task::{Context, Waker};

fn main() {
    let mut task = Context::from_waker(Waker::noop());
    for mut future in ${name//-/_}::all() {
        let _ = std::hint::black_box(future.as_mut().poll(&mut task));
    }
}
RUST
}

# size NAME: the bytes of its program, stripped.
size() {
    (cd "$place/$1" && cargo build --release --quiet --offline && stat -c %s "$CARGO_TARGET_DIR/release/$1")
}

span="spandrel = { path = \"$root/runtime\", default-features = false }"
tracing='tracing = "0.1"'
for groups in 75 25; do
    crate "plain-$groups" '' '' "$groups"
    crate "span-$groups" "$span" '#[spandrel::span("functionNUMBER", id = id)]' "$groups"
    for name in instrument instrument-err; do
        crate "$name-$groups" "$tracing" \
            '#[tracing::instrument(name = "functionNUMBER", skip_all, fields(id = id))]' "$groups"
    done
    sed -i '/skip_all/{N;/read\|parse/s/id = id))/id = id), err)/}' \
        "$place/instrument-err-$groups/src/lib.rs"
done

# build NAME [--offline], in debug.
build() {
    (cd "$place/$1-75" && cargo build --lib --quiet "${@:2}")
}

names='plain span instrument instrument-err'
# Their dependencies first.
for name in $names; do
    build "$name" --offline 2>/dev/null || build "$name"
done

declare -A least
TIMEFORMAT='%U %S'
for round in $(seq "$rounds"); do
    for name in $names; do
        touch "$place/$name-75/src/lib.rs"
        spent=$({ time build "$name" --offline >&2; } 2>&1 | tail -1)
        spent=$(awk '{ printf "%.2f", $1 + $2 }' <<<"$spent")
        printf 'round %s: %-14s %s s\n' "$round" "$name" "$spent" >&2
        least[$name]=$(awk -v a="${least[$name]:-999}" -v b="$spent" 'BEGIN { print a < b ? a : b }')
    done
done

# row TITLE NAME
row() {
    local all third
    all=$(size "$2-75")
    third=$(size "$2-25")
    awk -v title="$1" -v time="${least[$2]}" -v plain="${least[plain]}" -v peer="${least[instrument]}" \
        -v bytes="$((all - third))" 'BEGIN {
            printf "| %s | %.2f (%.2f) | %.0f | %.2f |\n",
                title, time, time / peer, (time - plain) * 1000 / 300, bytes / 200 / 1000
        }'
}

{
    cat <<'MARKDOWN'
| 300 functions, the least of the rounds | to build, s | ms more a function | kB of program a function |
| --- | --: | --: | --: |
MARKDOWN
    row '`#[span]`, which records errors' span
    row '`#[tracing::instrument]`' instrument
    row '`#[tracing::instrument]`, `err` where there are any' instrument-err
    row 'not annotated' plain
} | tee "$place/table.md"
