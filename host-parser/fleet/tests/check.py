"""Judges a fleet, asks DuckDB and DataFusion, and compares their answers with each other, with what the logs were made to be,
and with what `assay parse` says of each log alone.

usage: check.py ASSAY DIR [--time]     DIR is what the example make-fleet made
"""

import csv
import json
import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import datafusion
import duckdb

ASSAY, DIR = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
LOGS, OUT = os.path.join(DIR, "logs"), os.path.join(DIR, "dataset")


def assay(*words):
    ended = subprocess.run([ASSAY, "--json", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(ended.stdout)


def fleet():
    start = time.monotonic()
    answer = assay("fleet", LOGS, "--labels", os.path.join(DIR, "labels.csv"), "--out", OUT)
    return answer, time.monotonic() - start


def files():
    found = {}
    for folder, _, names in os.walk(OUT):
        for name in names:
            if name.endswith(".parquet"):
                path = os.path.join(folder, name)
                found[path] = os.stat(path).st_mtime_ns
    return found


def statements(name):
    text = open(os.path.join(OUT, name)).read()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [one.strip() for one in "\n".join(lines).split(";") if one.strip()]


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        # DataFusion interpolates percentiles to some digits.
        return math.isclose(a, b, rel_tol=1e-6) or (math.isnan(a) and math.isnan(b))
    return a == b


def plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def check(condition, *what):
    if not condition:
        sys.exit("FAILED: " + " ".join(str(part) for part in what))


first, seconds = fleet()
check(first["error"] is None, first)
summary = first["result"]["summary"]
megabytes = summary["bytes"] / 1e6
print(f"{summary['found']} logs, {megabytes:.0f} MB: {seconds:.1f} s")
if "--time" in sys.argv:
    sys.exit()

expected = {row["file"]: row for row in csv.DictReader(open(os.path.join(DIR, "expected.csv")))}
check(summary["found"] == len(expected), summary)
before = files()
again, seconds = fleet()
check(again["result"]["summary"]["known"] == len(expected), again)
check(not again["result"]["summary"]["added"] and files() == before, "it was added again")
print(f"again: {seconds:.1f} s, nothing added, {len(before)} files as they were")

os.chdir(OUT)
duck, fusion, answers = duckdb.connect(), datafusion.SessionContext(), []
questions = zip(statements("queries.sql"), statements("queries-datafusion.sql"), strict=True)
for ours, theirs in questions:
    left, right = duck.sql(ours), fusion.sql(theirs)
    if not ours.startswith("SELECT"):
        continue
    check(ours == theirs, ours, theirs)
    left = [[plain(value) for value in row] for row in left.fetchall()]
    right = [[plain(row[name]) for name in right.schema().names] for row in right.to_pylist()]
    check(len(left) == len(right), ours, left, right)
    for one, other in zip(left, right):
        check(len(one) == len(other) and all(map(same, one, other)), ours, one, other)
    answers.append(left)
    check(left or "JOIN samples" in ours, "no answer to", ours)
print(f"{len(answers)} questions: DuckDB and DataFusion answer alike")

# What each log was made to be.
rows = duck.sql("SELECT file, outcome, boots, exit_code, reason, log_sha256, label_zone, label_type, day FROM logs")
logs = {os.path.relpath(row[0], LOGS): row[1:] for row in rows.fetchall()}
check(len(logs) == len(expected), "rows of logs", len(logs))
for name, row in expected.items():
    outcome, boots = logs[name][:2]
    check((outcome, boots) == (row["outcome"], int(row["boots"])), name, logs[name], row)
    number = int(name[-9:-4])
    check(logs[name][5:7] == (f"zone-{'ab'[number % 2]}", f"kind-{number % 3}"), name, logs[name])
    check(str(logs[name][7]) == f"2026-11-0{1 + number % 3}", name, logs[name])

# What `assay parse` says of each.
with ThreadPoolExecutor(2) as pool:
    parsed = dict(zip(expected, pool.map(lambda name: assay("parse", os.path.join(LOGS, name)), expected)))
figures = {}
for digest, row, system, workers, median in duck.sql(
    "SELECT log_sha256, row, system, workers, median FROM figures WHERE metric = 'time'"
).fetchall():
    figures.setdefault(digest, {})[(row, system, workers)] = median
compared = 0
for name, answer in parsed.items():
    outcome, boots, code, reason, digest = logs[name][:5]
    if outcome == "copy":
        continue
    check(answer["exit_code"] == code, name, answer["exit_code"], code)
    if boots == 0:
        continue
    check(answer["reason"] == reason, name, answer["reason"], reason)
    ours = {
        (row, case["system"], case["case"]): case["nanos"]["median"]
        for row, results in enumerate(answer["result"]["rows"])
        for case in results["cases"]
        if reason is None
    }
    check(ours == figures.get(digest, {}), name, ours, figures.get(digest))
    compared += len(ours)
check(compared > len(expected), compared)
print(f"{len(parsed)} logs and {compared} figures are as `assay parse` has them")

# A machine counts once: the boots that two logs have are in one of them.
good = [name for name, row in expected.items() if row["outcome"] in ("judged", "partly")]
repeated = sum(1 for name in good if int(name[-9:-4]) % 100 == 79)
machines = duck.sql("SELECT count(*) FROM vms").fetchall()[0][0]
check(machines == len(good) - repeated, machines, len(good), repeated)
print(f"{machines} machines; {repeated} logs repeat a boot of another")
