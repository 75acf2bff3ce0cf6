"""A meter package that ends the program, prints or fails makes no failure a success."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RAISES = {
    "exits 3": "import sys; sys.exit(3)",
    "exits 0": "import sys; sys.exit(0)",
    "exits at once": "import os; os._exit(0)",
    "exits at once by its other name": "from posix import _exit; _exit(0)",
    "becomes another program": "import os; os.execlp('true', 'true')",
    "exits with a text": "raise SystemExit('bye')",
    "raises": "raise RuntimeError('no driver')",
    "lacks a module": "import no_such_module_here",
    "of no kind": "class Odd(BaseException): pass\nraise Odd",
    "prints": "print('[1, 2]'); raise OSError('gone')",
    "a syntax error": "def",
    "no meter": "ENTRY = 5",
}
KIND = """
import os, sys
from bench.meters.protocol import Found, MeterKind, MeterKindEntry, Tier
def find():
    print("looking"); {find}
    return [Found("evil", MeterKind.POWER, "wall", Tier.C, usable=True, reason="", cure="", spec="evil:x")]
def make(target, settings, options):
    print("making"); {make}
ENTRY = MeterKindEntry("evil", "an evil meter", make=make, find=find)
"""


@pytest.fixture
def perwatt(tmp_path):
    """Return the command with a package of this source installed."""

    def run(source, *arguments):
        info = tmp_path / "evil-1.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[perwatt.meters]\nevil = evilmod:ENTRY\n")
        (tmp_path / "evilmod.py").write_text(source)
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "bench", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def request_words(tmp_path):
    return ("run", "memory_copy_cpu", "--plan", "smoke", "--meter", "evil:x", "--out", str(tmp_path / "r"))


@pytest.mark.parametrize("source", RAISES.values(), ids=RAISES)
def test_a_package_that_cannot_be_imported_is_a_row_and_a_wrong_request(perwatt, request_words, source):
    listed = perwatt(source, "list", "meters", "--json")
    assert listed.returncode == 0
    (row,) = [row for row in json.loads(listed.stdout) if row["meter"] == "evil"]
    assert row["usable"] == "no"
    done = perwatt(source, *request_words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("error: --meter evil: ")


@pytest.mark.parametrize(
    ("find", "make"),
    [("sys.exit(0)", "sys.exit(0)"), ("raise SystemExit", "sys.exit('x')"), ("os._exit(0)", "os._exit(0)")],
)
def test_a_meter_that_ends_the_program_fails_the_run(perwatt, request_words, find, make):
    source = KIND.format(find=find, make=make)
    listed = perwatt(source, "list", "meters", "--json")
    assert listed.returncode == 0
    assert "ended the program" in listed.stdout
    done = perwatt(source, *request_words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: a meter package ended the program" in done.stderr


def test_a_meter_that_prints_spoils_no_document(perwatt):
    listed = perwatt(KIND.format(find="pass", make="pass"), "list", "meters", "--json")
    json.loads(listed.stdout)
    assert "looking" in listed.stderr
