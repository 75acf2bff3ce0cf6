"""The command line as a stranger meets it: a process, its two streams and its exit status."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Perwatt = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def perwatt(tmp_path: Path) -> Perwatt:
    """Run `perwatt` in an empty folder."""

    def call(*arguments: object, timeout_s: float = 120, **kwargs) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bench", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            cwd=kwargs.pop("cwd", tmp_path),
            check=False,
            **kwargs,
        )

    return call


@pytest.fixture
def refused(perwatt):
    """Run `perwatt`, expect exit status 2 and exactly one line on stderr, and return that line."""

    def call(*arguments: object, status: int = 2, **kwargs) -> str:
        done = perwatt(*arguments, **kwargs)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("error: ")
        return lines[0]

    return call
