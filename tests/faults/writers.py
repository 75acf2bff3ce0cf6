"""The commands that write, what they write, and how a reader tells a whole output from a damaged one."""

import hashlib
import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench.results.folder import read_whole
from bench.results.integrity.check import check_store
from bench.results.layout import TEMPORARY_PREFIX, result_folders
from faults.command import COUNTS, Commands, Done

CORPUS = Path(__file__).with_name("corpus")


@dataclass(frozen=True)
class Writer:
    """One writing command, run in a folder as a user has it: see `Workshop`."""

    argv: tuple[str, ...]
    target: str = ""  # the file or folder that it makes; empty: a record in the store
    whole: Callable[[Path], object] = lambda _: True  # raises, or is false, for a damaged one


def _svg(path: Path) -> bool:
    return path.read_text().rstrip().endswith("</svg>")


def _toml(path: Path) -> object:
    return tomllib.loads(path.read_text())


def _profiles(folder: Path) -> bool:
    return all(_toml(path) for path in folder.glob("*.toml"))


def _json(path: Path) -> object:
    return json.loads(path.read_text())


def _page(path: Path) -> bool:
    return path.read_text().rstrip().endswith("</html>")


def _signature(path: Path) -> bool:
    return path.read_text().rstrip().endswith("-----END SSH SIGNATURE-----")


def _year(folder: Path) -> bool:
    """Return whether a package has its last file, and tables that can be read."""
    from pyarrow import parquet

    return (folder / "datapackage.json").is_file() and all(parquet.read_table(one) for one in folder.rglob("*.parquet"))


RUN = ("run", "memory_copy_cpu", "--plan", "smoke", "--meter", "none")
CHEAP = {
    "import": Writer(("pytest", "import", "benchmark.json")),
    "attach": Writer(("run", "--attach", "latest:memory_copy_cpu", "--meter", "trace:power.csv")),
    "sign": Writer(("results", "sign", "RECORD", "--key", "key"), "results/RECORD/SHA256SUMS.sig", _signature),
    "export": Writer(("pytest", "export", "RECORD", "--to", "out.json"), "out.json", _json),
    "profile": Writer(("profile", "new", "--out", "own", "--name", "me"), "own", _profiles),
    "site": Writer(("site", "new"), "my-site.toml", _toml),
    "schema": Writer(("site", "schema", "site", "--out", "site.json"), "site.json", _json),
}
COSTLY = {
    "plot": Writer(("compare", "antminer-s21", "whatsminer-m60s", "--plot", "plot.svg"), "plot.svg", _svg),
    "run": Writer(RUN),
    "page": Writer(("report", "results", "-o", "page.html"), "page.html", _page),
    "yield": Writer(("yield", "georgia-50mw-mining", "--plan", "plan.csv", "--out", "year"), "year", _year),
}
WRITERS = CHEAP | COSTLY


class Workshop:
    """A folder as a user has it, copied anew for each fault.

    It holds a store with an imported and a measured record, the log of a meter that covers the measured one, a key and
    the JSON of pytest-benchmark.
    """

    def __init__(self, commands: Commands, folder: Path) -> None:
        self.commands, self.folder = commands, folder
        self.start = folder / "start"
        self.start.mkdir()
        shutil.copy(CORPUS / "benchmark.json", self.start)
        for argv in (("pytest", "import", "benchmark.json"), RUN):
            made = commands.run(self.start, *argv, limit_s=600)
            assert made.status == 0, made.err
        measured, imported = sorted(result_folders(self.start / "results"), key=lambda path: "memory" not in path.name)
        self.record, self.records = imported.name, {imported.name, measured.name}
        self._log(measured)
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.start / "key")]
        subprocess.run(key, check=True)
        self.before = tree(self.start)
        self._undisturbed: dict[str, Done] = {}  # by command

    def _log(self, folder: Path) -> None:
        """Write a log of watts that covers a run, with a minute before and after."""
        run = read_whole(folder).run
        first, length_s = run.started_utc - timedelta(minutes=1), (run.ended_utc - run.started_utc).total_seconds()
        times = (first + timedelta(seconds=n) for n in range(int(length_s) + 120))
        rows = [f"{time:%Y-%m-%dT%H:%M:%SZ},{200 + n % 5}\n" for n, time in enumerate(times)]
        (self.start / "power.csv").write_text("time,watts\n" + "".join(rows))

    def fresh(self) -> Path:
        """Return a new copy of the folder, in place of the last one."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self.start, work, symlinks=True)
        return work

    def run(self, writer: Writer, work: Path | None = None, **case) -> tuple[Done, Path]:
        """Run a writing command in a fresh copy of the folder, or in another folder that holds its content."""
        work = work or self.fresh()
        if "fault" in case and "remove" in case["fault"]:
            case["fault"] = case["fault"] | {"remove": str(work / case["fault"]["remove"])}
        argv = [f"results/{self.record}" if word == "RECORD" else word for word in writer.argv]
        return self.commands.run(work, *argv, **case), work

    def counted(self, writer: Writer) -> Done:
        """Return how a command ends without a fault, with its steps and its time, once it is warm."""
        name = " ".join(writer.argv)
        if name not in self._undisturbed:
            self.run(writer, limit_s=600)
            done, work = self.run(writer, limit_s=600)
            assert done.status == 0, done.err
            assert self.damage(writer, work, done) == ""
            assert done.steps > 0
            self._undisturbed[name] = done
        return self._undisturbed[name]

    def case(self, writer: Writer, statuses: set[int], **case) -> str:
        """Run a writing command with a fault; return what it broke, or nothing."""
        done, work = self.run(writer, limit_s=120, **case)
        COUNTS["kills" if "signal" in {*case, *case.get("fault", ())} else "other faults of writing commands"] += 1
        return done.broken(statuses) or self.damage(writer, work, done)

    def damage(self, writer: Writer, work: Path, done: Done) -> str:
        """Return what a fault has damaged: an earlier file, an output, a record, a command that reads, a claim.

        A command that ends with status 0 claims that its output is there.
        """
        now = tree(work)
        if lost := {name for name, content in self.before.items() if now.get(name) != content}:
            return f"lost or changed: {sorted(lost)}"
        if faults := [one.fault for one in check_store(work / "results") if one.fault]:
            return f"half a record: {faults}"
        return self._output_damage(writer, work, done) or self._reading_damage(work)

    def _output_damage(self, writer: Writer, work: Path, done: Done) -> str:
        target = work / writer.target.replace("RECORD", self.record)
        try:
            if writer.target and target.exists() and not writer.whole(target):
                return f"half written: {target.name}"
        except (ValueError, OSError) as fault:
            return f"half written: {target.name}: {fault}"
        records = len(list(result_folders(work / "results")))
        claimed = done.status == 0 and not (target.exists() if writer.target else records == len(self.records) + 1)
        return "status 0 without the output" if claimed else ""

    def _reading_damage(self, work: Path) -> str:
        for reading in (("list", "results"), ("show", self.record)):
            read = self.commands.run(work, *reading)
            if read.status != 0 or read.broken():
                return f"{reading}: status {read.status}: {read.err}"
        return ""


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def leftovers(work: Path) -> list[str]:
    """Return the temporary files and folders that are left."""
    return [
        str(path.relative_to(work))
        for path in work.rglob("*")
        if path.name.startswith(TEMPORARY_PREFIX) or path.suffix == ".tmp"
    ]
