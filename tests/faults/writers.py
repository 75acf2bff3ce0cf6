"""The commands that write, what they write, and how a reader tells a whole output from a damaged one."""

import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.results.folder import read_whole
from bench.results.layout import result_folders
from faults.command import Commands, Done

CORPUS = Path(__file__).with_name("corpus")


@dataclass(frozen=True)
class Writer:
    """One writing command, run in a folder that holds the store `results` with one record, and benchmark.json."""

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


CHEAP = {
    "import": Writer(("pytest", "import", "benchmark.json")),
    "export": Writer(("pytest", "export", "RECORD", "--to", "out.json"), "out.json", _json),
    "profile": Writer(("profile", "new", "--out", "own", "--name", "me"), "own", _profiles),
    "site": Writer(("site", "new"), "my-site.toml", _toml),
    "schema": Writer(("site", "schema", "site", "--out", "site.json"), "site.json", _json),
    "plot": Writer(("compare", "antminer-s21", "whatsminer-m60s", "--plot", "plot.svg"), "plot.svg", _svg),
}
COSTLY = {
    "run": Writer(("run", "memory_copy_cpu", "--plan", "smoke", "--meter", "none")),
    "page": Writer(("report", "results", "-o", "page.html"), "page.html", _page),
    "yield": Writer(("yield", "georgia-50mw-mining", "--plan", "plan.csv", "--out", "year"), "year"),
}


class Workshop:
    """A folder as a user has it, copied anew for each fault."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self.commands, self.folder = commands, folder
        self.start = folder / "start"
        self.start.mkdir()
        shutil.copy(CORPUS / "benchmark.json", self.start)
        made = commands.run(self.start, "pytest", "import", "benchmark.json")
        assert made.status == 0, made.err
        (self.record,) = (path.name for path in result_folders(self.start / "results"))
        self.before = tree(self.start)

    def run(self, writer: Writer, **case) -> tuple[Done, Path]:
        """Run a writing command in a fresh copy of the folder."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self.start, work, symlinks=True)
        if "fault" in case and "remove" in case["fault"]:
            case["fault"] = case["fault"] | {"remove": str(work / case["fault"]["remove"])}
        argv = [f"results/{self.record}" if word == "RECORD" else word for word in writer.argv]
        return self.commands.run(work, *argv, **case), work

    def steps(self, writer: Writer) -> int:
        """Return how many faults a command has room for, warmed up."""
        self.run(writer, limit_s=600)
        done, _ = self.run(writer, limit_s=600)
        assert done.status == 0, done.err
        assert done.steps > 0
        return done.steps

    def damage(self, writer: Writer, work: Path, status: int = 1) -> str:
        """Return what a fault has damaged: an earlier file, an output, a record, a command that reads, a claim.

        A command that ends with status 0 claims that its output is there.
        """
        now = tree(work)
        if lost := {name for name, content in self.before.items() if now.get(name) != content}:
            return f"lost or changed: {sorted(lost)}"
        for folder in result_folders(work / "results"):
            read_whole(folder)
        target = work / writer.target
        if writer.target and target.exists() and not writer.whole(target):
            return f"half written: {target.name}"
        records = len(list(result_folders(work / "results")))
        if status == 0 and not (target.exists() if writer.target else records == 2):
            return "status 0 without the output"
        for reading in (("list", "results"), ("show", self.record)):
            done = self.commands.run(work, *reading)
            if done.status != 0 or done.broken():
                return f"{reading}: status {done.status}: {done.err}"
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
    return [str(path.relative_to(work)) for path in work.rglob("*") if ".tmp-" in path.name or "trial-" in path.name]
