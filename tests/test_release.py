"""A release has the same bytes from anywhere; its checks fail on a finding, but not without a network."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / ".ci"

FAULT = {"id": "PYSEC-0", "fix_versions": ["2.0"]}


@pytest.fixture(scope="module")
def verdict():
    return runpy.run_path(str(SCRIPTS / "audit.py"))["verdict"]


def report(*packages):
    return json.dumps({"dependencies": list(packages)})


def test_the_wheel_is_the_same_from_another_folder_with_other_dates_and_modes():
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "reproducible.py")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "perwatt-" in done.stdout


def test_a_known_vulnerability_fails_the_check(verdict):
    text, status = verdict(report({"name": "left", "version": "1.0", "vulns": [FAULT]}), "")
    assert (status, text.splitlines()[0]) == (1, "left 1.0: PYSEC-0, fixed in 2.0")


def test_locked_versions_without_vulnerabilities_pass(verdict):
    text, status = verdict(
        report({"name": "left", "version": "1.0", "vulns": []}, {"name": "own", "skip_reason": "not on the index"}), ""
    )
    assert (status, text) == (0, "pip-audit: 1 of 2 locked versions checked, 0 known vulnerabilities")


@pytest.mark.parametrize(
    ("stdout", "stderr", "reason"),
    [
        ("", "Traceback\nConnectionError: no route to host\n", "ConnectionError: no route to host"),
        ("", "", "no answer"),
        (report({"name": "left", "skip_reason": "not on the index"}), "", "the package index that is reached"),
    ],
    ids=["no network", "silent", "an index without advisories"],
)
def test_without_advisories_the_check_is_skipped_and_says_why(verdict, stdout, stderr, reason):
    text, status = verdict(stdout, stderr)
    assert status == 0
    assert "skipped" in text
    assert reason in text
