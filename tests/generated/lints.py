#!/usr/bin/env python3
"""Every lint of rustc and clippy on the composed functions: those with attributes fire no more than the plain ones.

    GENERATED_SEED=7 tests/generated/lints.py

Takes minutes. Prints the lints that fire on one side more often, and fails if that is the side with attributes.
"""

import collections
import json
import pathlib
import subprocess
import sys

GROUPS = ["warnings", "unused", "let_underscore", "future_incompatible", "nonstandard_style", "unreachable_code"]
GROUPS += ["unused_results", "unused_qualifications", "elided_lifetimes_in_paths", "single_use_lifetimes"]
GROUPS += [f"clippy::{group}" for group in ["all", "pedantic", "nursery", "restriction"]]


def main() -> int:
    root = pathlib.Path(__file__).parents[2]
    library = root / "tests/generated/lib.rs"
    # What the file allows, for once, is what this is about.
    written = library.read_text()
    allowed = written[written.index("#[allow(") : written.index("mod functions")]
    try:
        library.write_text(written.replace(allowed, f"#[warn({', '.join(GROUPS)})]\n"))
        clippy = ["cargo", "clippy", "--quiet", "-p", "spandrel-generated-tests", "--tests", "--message-format=json"]
        output = subprocess.run(clippy, cwd=root, capture_output=True, text=True, check=False).stdout
    finally:
        library.write_text(written)
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    counts = collections.defaultdict(lambda: [0, 0])
    for message in (one["message"] for one in messages if one["reason"] == "compiler-message"):
        for place in message["spans"]:
            if not place["is_primary"] or not place["file_name"].endswith("/functions.rs"):
                continue
            lines = pathlib.Path(root, place["file_name"]).read_text().splitlines()
            starts = [lines.index(f"pub mod {module} {{") for module in ("plain", "traced")]
            index = sum(start < place["line_start"] - 1 for start in starts) - 1
            code = (message["code"] or {}).get("code", message["message"])
            if index >= 0:
                counts[code][index] += 1
            break
    if not counts:
        print("no lint fired at all: this found nothing to compare")
        return 1
    print(f"{'lint':60} plain  with attributes")
    for code, (plain, traced) in sorted(counts.items()):
        if plain != traced:
            print(f"{code:60} {plain:5}  {traced:5}")
    return int(any(traced > plain for plain, traced in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
