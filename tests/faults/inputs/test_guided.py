"""Fuzzing that coverage guides breaks no reader."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from faults.command import COUNTS, ENVIRONMENT, ROOT, WHOLE
from faults.inputs.readers import READERS

MINUTES = 10  # of the whole suite, for all readers together
SECONDS = 60 * MINUTES // len(READERS) if WHOLE else 2
SAMPLED = READERS if WHOLE else ["scenarios"]


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is missing: make faults installs it")
@pytest.mark.parametrize("name", SAMPLED)
def test_an_input_that_reaches_new_code_breaks_no_reader(name, tmp_path):
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "TMPDIR": str(tmp_path)}
    kept = tmp_path / "kept"
    kept.mkdir()
    command = [sys.executable, "-m", "faults.inputs.guided", str(SECONDS), str(kept), name]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=600)
    counts = re.search(r"reader, .*: ([\d,]+) inputs \(.*\), 0 broken$", done.stdout, re.MULTILINE)
    assert counts, (done.stdout[-2000:], done.stderr[-2000:], [path.read_bytes() for path in kept.iterdir()])
    COUNTS["inputs that coverage guided"] += int(counts[1].replace(",", ""))
