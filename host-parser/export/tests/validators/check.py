#!/usr/bin/env python3
"""check.py FORMS XSD: reads each golden file of `assay export` with a program that others wrote.

FORMS is the folder of the golden files, XSD Jenkins' schema of JUnit files. A file that its reader refuses, or reads as
something else than was meant, ends the script with 1. `make test-exports` installs the readers.
"""

import json
import pathlib
import subprocess
import sys

import junitparser
import lxml.etree
import tap.parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families

forms, xsd = (pathlib.Path(path) for path in sys.argv[1:3])


def junit():
    schema = lxml.etree.XMLSchema(lxml.etree.parse(xsd))
    schema.assertValid(lxml.etree.parse(forms / "junit.txt"))
    suites = list(junitparser.JUnitXml.fromfile(str(forms / "junit.txt")))
    names = [case.name for suite in suites for case in suite]
    assert names == ["claim.speed-up-1-2"], names
    return f"{len(suites)} suite, {len(names)} test"


def ktap():
    lines = list(tap.parser.Parser().parse_text((forms / "ktap.txt").read_text()))
    tests = [line for line in lines if line.category == "test"]
    plans = [line for line in lines if line.category == "plan"]
    assert [line.expected_tests for line in plans] == [len(tests)], lines
    # The first line is KTAP's own, which a reader of TAP skips.
    assert [line.category for line in lines].count("unknown") == 1, lines
    assert all(test.ok for test in tests), tests
    return f"{len(tests)} test"


def openmetrics():
    families = list(text_string_to_metric_families((forms / "openmetrics.txt").read_text()))
    found = {family.name: (family.unit, len(family.samples)) for family in families}
    # Two systems, one case with a speed-up and two with a time, three bounds; a rate of the machine and of a CPU.
    expected = {
        "assay_speedup_ratio": ("ratio", 6),
        "assay_time_seconds": ("seconds", 12),
        "assay_work_per_second": ("", 8),
    }
    assert found == expected, found
    return f"{len(families)} families"


def lnt():
    lnt = pathlib.Path(sys.executable).with_name("lnt")
    run = subprocess.run([lnt, "checkformat", str(forms / "lnt.txt")], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return "checkformat"


def hyperfine():
    results = json.loads((forms / "hyperfine.txt").read_text())["results"]
    for result in results:
        assert set(result) >= {"command", "mean", "stddev", "median", "user", "system", "min", "max", "times", "exit_codes"}
        assert len(result["times"]) == len(result["exit_codes"]) and min(result["times"]) == result["min"], result
    return f"{len(results)} commands (no reader of its own in a registry)"


failed = False
for check in (junit, ktap, openmetrics, lnt, hyperfine):
    try:
        print(f"{check.__name__}: {check()}")
    except Exception as error:  # each reader has exceptions of its own
        print(f"{check.__name__}: REFUSED: {error!r}")
        failed = True
sys.exit(failed)
