"""The command line as a user meets it: its two streams and its exit status."""

import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bench.cli import main

Perwatt = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def perwatt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Perwatt:
    """Run `perwatt` in an empty folder, in this process; what is about a process has tests that start one."""

    def call(
        *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = list(map(str, arguments))
        capfd.readouterr()
        handler = signal.getsignal(signal.SIGINT)
        try:
            with monkeypatch.context() as changed:
                changed.chdir(cwd or tmp_path)
                for name, value in (env or {}).items():
                    changed.setenv(name, value)
                with pytest.raises(SystemExit) as ended:
                    main(words)
        finally:
            signal.signal(signal.SIGINT, handler)
        stdout, stderr = capfd.readouterr()
        return subprocess.CompletedProcess(words, int(ended.value.code), stdout, stderr)

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
