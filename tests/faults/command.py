"""Commands run by the zygote, and what every one of them must keep whatever it is fed or however it dies."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEAK_KB = 1_000_000
STATUSES = {0, 1, 2, 130}
WHOLE = os.environ.get("PERWATT_FAULTS") == "whole"
of_the_whole_suite = pytest.mark.skipif(not WHOLE, reason="only `make faults` tries it: minutes of real hosts")
COUNTS: Counter[str] = Counter()  # of what was tried, for the summary at the end
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "120"}


@dataclass(frozen=True)
class Done:
    """What one command left."""

    argv: tuple[str, ...]
    status: int  # as a shell shows it: 128 + signal
    late: bool  # killed at the limit
    seconds: float
    peak_kb: int
    steps: int  # calls that changed the disk, twice: before and after; 0 if killed
    readings: int  # of the wall clock; 0 if killed, or if this clock cannot be moved
    meanwhile: int | None  # status of the command that ran while this one was stopped
    out: str
    err: str

    def broken(self, statuses: set[int] = STATUSES) -> str:
        """Return the promise that this command broke, or nothing."""
        if self.late:
            return f"hang: killed after {self.seconds:.0f} s"
        if "Traceback (most recent" in self.err or "Warning:" in self.err:
            return "traceback or warning: " + self.err.strip()[-300:]
        if "internal, please report" in self.err:
            return self.err.strip()[-300:]
        if self.status not in statuses:
            return f"exit status {self.status}: {self.err.strip()[-300:]}"
        if self.peak_kb > PEAK_KB:
            return f"{self.peak_kb / 1e6:.1f} GB of memory"
        return ""


class Commands:
    """A zygote and the folder in which its commands leave their output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        own = {"PERWATT_LOCKS": "locks", "XDG_STATE_HOME": "state", "TMPDIR": "tmp"}
        environment = os.environ | ENVIRONMENT | {name: str(folder / path) for name, path in own.items()}
        environment |= {"PYTHONPATH": str(ROOT), "LD_PRELOAD": moved_clock(folder)}
        environment.pop("PERWATT_DEBUG", None)
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n"

    def run(self, cwd: Path, *argv: str, **case) -> Done:
        """Run `perwatt ARGV` in a folder; `fault`, `limit_s`, `signal`, `signal_s`, `meanwhile` go to the zygote."""
        paths = {name: str(self.folder / name) for name in ("stdout", "stderr")}
        line = json.dumps({"argv": list(argv), "cwd": str(cwd), **paths, **case})
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        out, err = (Path(paths[name]).read_text(errors="replace") for name in ("stdout", "stderr"))
        return Done(argv, out=out, err=err, **answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def moved_clock(folder: Path) -> str:
    """Compile clock.c and return the path of the library; empty without a compiler of C."""
    library, compiler = folder / "clock.so", shutil.which("cc")
    if compiler is None:
        return ""
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("clock.c")]
    return str(library) if subprocess.run(command, check=False).returncode == 0 else ""
