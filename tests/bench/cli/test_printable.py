"""What a terminal would obey reaches none: in errors of files, names, keys and values."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ODD = "\x1b]0;t\x07\x1b[2J\x9b31m\u202e\u2066\x7f\x08"


@pytest.mark.parametrize("command", [("yield",), ("profile", "check"), ("show",), ("compare",), ("report",)])
def test_names_and_keys_of_files_are_filtered(tmp_path, command):
    (tmp_path / f"a{ODD}.toml").write_text(
        f'[site]\n"k{ODD.encode("unicode_escape").decode()}" = 1\n'.replace("\\x", "\\u00")
    )
    for target in (str(tmp_path / f"a{ODD}.toml"), f"no{ODD}such"):
        done = subprocess.run([sys.executable, "-m", "bench", *command, target], cwd=ROOT, capture_output=True,
                              timeout=600, check=False)  # fmt: skip
        printed = (done.stdout + done.stderr).decode()
        assert done.returncode in {1, 2}
        assert printed
        assert not [letter for letter in ODD if letter in printed and not letter.isprintable()]
