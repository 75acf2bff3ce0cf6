"""Commands run by the zygote, and what every one of them must keep whatever it is fed or however it dies."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEAK_KB = 1_000_000
STATUSES = {0, 1, 2, 130}
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
        environment = os.environ | ENVIRONMENT | {"PYTHONPATH": str(ROOT), "PERWATT_LOCKS": str(folder / "locks")}
        environment.pop("PERWATT_DEBUG", None)
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n"

    def run(self, cwd: Path, *argv: str, **case) -> Done:
        """Run `perwatt ARGV` in a folder; `fault`, `limit_s`, `env`, `stop_s` and `stopped_s` go to the zygote."""
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
