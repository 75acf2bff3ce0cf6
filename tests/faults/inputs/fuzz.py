"""Damaged files and command lines for every reader.

`python -m faults.inputs.fuzz SECONDS [NAME...]` prints the counts: readers in this process, then commands.
"""

import hashlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from faults.command import Commands, Done
from faults.inputs.mutate import ODD, mutated
from faults.inputs.originals import stored
from faults.inputs.parsers import PARSERS, lay_out
from faults.inputs.readers import READERS, Judge
from faults.inputs.tables import damaged_table

WORDS = """
list results profiles workloads meters models show compare report profile check new site schema fleet yield run doctor
verify headers validate mining inference pytest import export meter --out --json --help --plan smoke quick --meter none
trace:x --meter-period-s --watts --threads --device gpu:0 cpu latest:x result:x antminer-s21 --hashprice --tokens
--format csv table --trend rate --scenarios 2 --seed --capital --scheduler --strict --plot --name --to -o --
""".split()  # noqa: SIM905 (a list of a hundred quoted words is not easier to read)
NO_WORK = {"run", "yield", "compare", "inference", "doctor"}  # seconds of honest work: only with a word that is refused
TABLES = {"samples", "hourly Parquet", "table of sites"}  # half of the damage leaves a sound Parquet file
COMMAND_LINE = "command line"
NAMES = (*PARSERS, COMMAND_LINE)


def damaged(name: str, sound: tuple[bytes, ...], draw: random.Random) -> bytes:
    """Return a damaged copy of one of the sound inputs of a reader."""
    content = draw.choice(sound)
    return damaged_table(content, draw) if name in TABLES and draw.random() < 0.5 else mutated(content, draw)


class Fuzzer:
    """A folder in which one command after the other is fed with damaged input."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self.commands, self.folder = commands, folder

    def case(self, name: str, seed: int) -> tuple[Done, bytes]:
        """Run the case of a parser and a seed; the same seed is the same case."""
        if name == COMMAND_LINE:
            return self.line_case(seed)
        content = damaged(name, PARSERS[name].originals(name), random.Random(f"{name} {seed}"))
        return self.file_case(name, content), content

    def file_case(self, name: str, content: bytes) -> Done:
        """Feed one file to a command."""
        parser, work = PARSERS[name], self.fresh()
        lay_out(parser, content, work)
        if name == "samples" or parser.reader == "record":
            self._fit_digests(work / "results" / "r")
        return self.commands.run(work, *(word.replace("INPUT", parser.name) for word in parser.argv))

    def _fit_digests(self, folder: Path) -> None:
        """Let the digests fit damaged files: whoever edits a result can compute them too."""
        record, samples = ((folder / name).read_bytes() for name in ("result.json", "samples.parquet"))
        if samples != stored()["samples.parquet"]:
            document = json.loads(record)
            document["artifacts"][0] |= {"sha256": hashlib.sha256(samples).hexdigest(), "size_bytes": len(samples)}
            record = json.dumps(document).encode()
            (folder / "result.json").write_bytes(record)
        digests = stored()["SHA256SUMS"].decode()
        for name, content in (("result.json", record), ("samples.parquet", samples)):
            old, new = (hashlib.sha256(one).hexdigest() for one in (stored()[name], content))
            digests = digests.replace(old, new)
        (folder / "SHA256SUMS").write_text(digests)

    def line_case(self, seed: int) -> tuple[Done, bytes]:
        """Run one random command line; no word of it leads out of the folder."""
        draw = random.Random(f"{COMMAND_LINE} {seed}")
        odd = [
            text for item in ODD if b"\0" not in item and b"/" not in item and (text := item.decode("utf-8", "replace"))
        ]
        words = [draw.choice(WORDS) if draw.random() < 0.8 else draw.choice(odd) for _ in range(draw.randint(1, 6))]
        if NO_WORK & set(words):
            words.append("--no-such-option")
        return self.commands.run(self.fresh(), *words), " ".join(words).encode()

    def fresh(self) -> Path:
        """Return the folder, empty."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        return work


class Tally:
    """The counts of one reader or command, and the inputs that broke a promise."""

    def __init__(self, name: str, kept: Path) -> None:
        self.name, self.kept = name, kept
        self.ends: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    def add(self, end: str, broken: str, content: bytes) -> None:
        """Count a case; print and keep the first input of each kind of defect."""
        self.ends[end] += 1
        if broken:
            self.kinds[broken[:100]] += 1
            if self.kinds[broken[:100]] == 1:
                path = self.kept / f"{self.name.replace(' ', '-')}-{len(self.kinds)}"
                path.write_bytes(content)
                print(f"  {path}: {broken}", flush=True)

    def line(self) -> str:
        """Return the counts as a line."""
        ends = ", ".join(f"{count:,} {end}" for end, count in self.ends.most_common())
        return f"{self.name}: {self.ends.total():,} inputs ({ends}), {self.kinds.total():,} broken"


def feed_reader(name: str, limit_s: float, kept: Path) -> Tally:
    """Feed a reader in this process until the time is over."""
    tally, seed, started = Tally(name, kept), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        judge = Judge(name, Path(folder))
        while time.monotonic() - started < limit_s:
            content = damaged(name, judge.originals, random.Random(f"{name} {seed}"))
            before = judge.refused
            broken = judge.broken(content)
            tally.add("refused" if judge.refused > before else "read", broken, content)
            seed += 1
    return tally


def feed_command(name: str, limit_s: float, kept: Path, fuzzer: Fuzzer) -> Tally:
    """Feed a command until the time is over."""
    tally, seed, started = Tally(name, kept), 0, time.monotonic()
    while time.monotonic() - started < limit_s:
        done, content = fuzzer.case(name, seed)
        tally.add(f"with status {done.status}", done.broken({0, 1, 2}), content)
        seed += 1
    return tally


def main() -> None:
    limit_s, names = float(sys.argv[1]), sys.argv[2:]
    kept = Path(tempfile.mkdtemp(prefix="faults-"))
    commands = Commands(kept)
    fuzzer = Fuzzer(commands, kept)
    for name in names or READERS:
        if name in READERS:
            print(f"reader, {feed_reader(name, limit_s, kept).line()}", flush=True)
    for name in names or NAMES:
        if name in NAMES:
            print(f"command, {feed_command(name, limit_s, kept, fuzzer).line()}", flush=True)
    commands.close()
    print(f"kept in {kept}")


if __name__ == "__main__":
    main()
