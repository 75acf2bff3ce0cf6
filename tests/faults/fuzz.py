"""Damaged files and command lines for every reader: `python -m faults.fuzz SECONDS [READER...]` prints the counts."""

import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from faults.command import Commands, Done
from faults.mutate import ODD, mutated
from faults.parsers import PARSERS, Parser
from faults.writers import Workshop

WORDS = """
list results profiles workloads meters models show compare report profile check new site schema fleet yield run doctor
verify headers validate mining inference pytest import export meter --out --json --help --plan smoke quick --meter none
trace:x --meter-period-s --watts --threads --device gpu:0 cpu latest:x result:x antminer-s21 --hashprice --tokens
--format csv table --trend rate --scenarios 2 --seed --capital --scheduler --strict --plot --name --to -o --
""".split()  # noqa: SIM905 (a list of a hundred quoted words is not easier to read)
NO_WORK = {"run", "yield", "compare", "inference", "doctor"}  # seconds of honest work: only with a word that is refused


class Fuzzer:
    """A folder in which one reader after the other is fed with damaged input."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self.commands, self.folder = commands, folder
        shop = folder / "shop"
        shop.mkdir()
        start = Workshop(commands, shop)
        self.stored = start.start / "results" / start.record
        self.record = (self.stored / "result.json").read_bytes()

    def file_case(self, name: str, seed: int, damage=mutated) -> tuple[Done, bytes]:
        """Feed one damaged file to a reader; return what became of it, and the file."""
        parser, draw = PARSERS[name], random.Random(f"{name} {seed}")
        content = damage(self.original(parser, draw), draw)
        work = self.fresh()
        for path in parser.beside:
            shutil.copy(path, work)
        target = work / parser.name
        if not parser.corpus:
            self.store(target.parent, content)
        target.write_bytes(content)
        argv = [word.replace("INPUT", parser.name) for word in parser.argv]
        return self.commands.run(work, *argv), content

    def store(self, folder: Path, content: bytes) -> None:
        """Make a result folder whose digests fit a damaged record: whoever edits one can compute them too."""
        shutil.copytree(self.stored, folder)
        digests = folder / "SHA256SUMS"
        old, new = (hashlib.sha256(record).hexdigest() for record in (self.record, content))
        digests.write_text(digests.read_text().replace(old, new))

    def original(self, parser: Parser, draw: random.Random) -> bytes:
        return draw.choice(parser.corpus).read_bytes() if parser.corpus else self.record

    def line_case(self, seed: int) -> tuple[Done, bytes]:
        """Run one random command line; no word of it leads out of the folder."""
        draw = random.Random(f"command line {seed}")
        odd = [
            text for item in ODD if b"\0" not in item and b"/" not in item and (text := item.decode("utf-8", "replace"))
        ]
        words = [draw.choice(WORDS) if draw.random() < 0.8 else draw.choice(odd) for _ in range(draw.randint(1, 6))]
        if NO_WORK & set(words):
            words.append("--no-such-option")
        return self.commands.run(self.fresh(), *words), " ".join(words).encode()

    def fresh(self) -> Path:
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        return work


READERS = (*PARSERS, "command line")


def case(fuzzer: Fuzzer, name: str, seed: int) -> tuple[Done, bytes]:
    """Run the case of a reader and a seed; the same seed is the same case."""
    return fuzzer.line_case(seed) if name == "command line" else fuzzer.file_case(name, seed)


def main() -> None:
    limit_s, names = float(sys.argv[1]), sys.argv[2:] or READERS
    kept = Path(tempfile.mkdtemp(prefix="faults-"))
    commands = Commands(kept)
    fuzzer = Fuzzer(commands, kept)
    for name in names:
        statuses, kinds, started, seed = Counter(), Counter(), time.monotonic(), 0
        while time.monotonic() - started < limit_s:
            done, content = case(fuzzer, name, seed)
            statuses[done.status] += 1
            if broken := done.broken({0, 1, 2}):
                kinds[broken[:160]] += 1
                (kept / f"{name.replace(' ', '-')}-{seed}").write_bytes(content)
                if kinds[broken[:160]] == 1:
                    print(f"  {name} {seed}: {broken}", flush=True)
            seed += 1
        print(f"{name}: {seed} inputs, {dict(statuses)}, {sum(kinds.values())} broken", flush=True)
    commands.close()
    print(f"kept in {kept}")


if __name__ == "__main__":
    main()
