"""Compares the account of each run of `burst` with the spans that the Collector received.

    report.py FOLDER

FOLDER holds `spans.json`, which the Collector wrote, and a folder `row-NN` for each run. Prints a
Markdown table on standard output and the faults on standard error; exits with 1 if there are any.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

COLUMNS = (
    "protocol", "compression", "ending", "exit code", "recorded", "exported", "failed", "arrived",
    "standard error",
)


def attribute(owner, key):
    """Returns the value of an attribute in OTLP's JSON, which writes integers as strings."""
    for entry in owner.get("attributes", []):
        if entry["key"] == key:
            return next(iter(entry["value"].values()))
    return None


def read_arrivals(path):
    """Counts the arrivals of each span, by its service, name and number."""
    arrivals = defaultdict(Counter)
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        for resource_spans in json.loads(line)["resourceSpans"]:
            service = attribute(resource_spans["resource"], "service.name")
            for scope_spans in resource_spans["scopeSpans"]:
                for span in scope_spans["spans"]:
                    arrivals[service][span["name"], attribute(span, "number")] += 1
    return arrivals


def read_account(output):
    """Returns the JSON line of `burst`, or an empty account if the program printed none."""
    lines = output.splitlines()
    return json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}


def shorten(text):
    """Returns the first line of the text and the number of lines as a table's cell."""
    lines = text.strip().splitlines()
    if not lines:
        return "nothing"
    more = f" (lines: {len(lines)})" if len(lines) > 1 else ""
    return lines[0].replace("|", "\\|") + more


def check(folder, arrivals):
    """Returns the row of one run in the table, and a list of the run's faults."""
    protocol, compression, ending, spans, code, service = (
        (folder / "row").read_text().splitlines()
    )
    recorded = int(spans)
    account = read_account((folder / "stdout").read_text())
    errors = (folder / "stderr").read_text()
    exported, failed = account.get("exported", "?"), account.get("failed", "?")

    arrived = arrivals.pop(service, Counter())
    expected = {("step", str(number)) for number in range(recorded)}
    once = len(expected & arrived.keys())
    repeated = sum(arrived.values()) - len(arrived)
    strange = len(arrived.keys() - expected)

    faults = []
    if code != "0":
        faults.append(f"the program ended with exit code {code}")
    if exported != recorded:
        faults.append(f"{exported} of {recorded} spans are reported as exported: {account}")
    if once != recorded:
        faults.append(f"{recorded - once} spans did not arrive")
    if repeated:
        faults.append(f"{repeated} duplicates arrived")
    if strange:
        faults.append(f"{strange} spans arrived that the program did not record")
    if errors:
        faults.append(f"standard error: {errors.strip()}")

    cell = f"{once}, and {repeated} duplicates" if repeated else once
    row = (
        protocol, compression, ending, code, recorded, exported, failed, cell, shorten(errors),
    )
    return row, [f"{service}: {fault}" for fault in faults]


def main():
    folder = Path(sys.argv[1])
    arrivals = read_arrivals(folder / "spans.json")
    faults = []
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join("---" for _ in COLUMNS), "|")
    for run in sorted(folder.glob("row-*")):
        row, its_faults = check(run, arrivals)
        print("|", " | ".join(map(str, row)), "|")
        faults += its_faults
    faults += [f"spans of the unknown service `{service}` arrived" for service in arrivals]
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


main()
