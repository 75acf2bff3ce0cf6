"""The commands that reach each reader, and sound files to damage."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from faults.inputs.originals import CORPUS, originals, stored, stored_site


@dataclass(frozen=True)
class Parser:
    """One reader: the file INPUT of its command is damaged."""

    argv: tuple[str, ...]
    name: str  # of the damaged file, which replaces INPUT in argv
    sound: tuple[str, ...] = ()  # files of the corpus, or of the repository
    beside: tuple[str, ...] = ()  # files of the corpus that the command reads too, undamaged
    reader: str = ""  # its name among the readers, if what perwatt writes is damaged

    def originals(self, name: str) -> tuple[bytes, ...]:
        """Return the sound inputs of the parser of this name, and those on which its reader once failed."""
        return originals(self.reader or name, *self.sound)


SCENARIOS = ("yield", "georgia-50mw-mining", "--scenarios", "2")
PARSERS = {
    "profile": Parser(
        ("profile", "check", "INPUT"), "own.toml",
        ("hardware_profiles/asic/antminer-s21.toml", "hardware_profiles/gpu/nvidia-h200.toml"),
    ),
    "site": Parser(("yield", "INPUT"), "site.toml", ("small.toml", "everything.toml")),
    "fleet": Parser(("yield", "INPUT"), "fleet.toml", ("fleet.toml",)),
    "scenarios": Parser((*SCENARIOS, "--scenario-file", "INPUT"), "own.toml", ("scenarios.toml",)),
    "calibration series": Parser(
        (*SCENARIOS, "--scenario-file", "own.toml"), "prices.csv", ("prices.csv",), ("calibrated.toml",)
    ),
    "capital plan": Parser((*SCENARIOS, "--capital", "INPUT"), "plan.toml", ("plan.toml",)),
    "market file": Parser(("feed", "read", "INPUT", "--out", "series.csv"), "market.csv"),
    "hourly CSV": Parser(("yield", "site.toml"), "price.csv", ("price.csv",), ("site.toml",)),
    "carbon table": Parser(
        ("yield", "carbon-site.toml"), "carbon.csv", ("carbon.csv",), ("carbon-site.toml", "difficulty.csv")
    ),
    "table of difficulty": Parser(
        ("yield", "carbon-site.toml"), "difficulty.csv", ("difficulty.csv",), ("carbon-site.toml", "carbon.csv")
    ),
    "stored inputs": Parser(
        ("yield", "small.toml", "--since", "run"), "run/inputs/000/inputs.json", (), ("small.toml",), "stored inputs"
    ),
    "table of sites": Parser(
        ("yield", "small.toml", "--since", "run"), "run/tables/site.parquet", (), ("small.toml",), "table of sites"
    ),
    "log of a meter": Parser(("meter", "check", "trace:INPUT"), "power.csv", ("power.csv", "table.md")),
    "log of devices": Parser(("meter", "check", "trace:INPUT,sum=index"), "devices.csv", ("devices.csv",)),
    "block headers": Parser(("verify", "headers", "INPUT"), "headers.csv", ("headers.csv",)),
    "record shown": Parser(("show", "results/r", "--json"), "results/r/result.json", reader="record"),
    "record listed": Parser(("list", "results"), "results/r/result.json", reader="record"),
    "record on a page": Parser(("report", "results", "-o", "page.html"), "results/r/result.json", reader="record"),
    "digests": Parser(("results", "check"), "results/r/SHA256SUMS", reader="digests"),
    "samples": Parser(("results", "check"), "results/r/samples.parquet", reader="samples"),
    "signers": Parser(("show", "results/r", "--allowed-signers", "INPUT"), "signers", ("signers",)),
    "results of load generators": Parser(
        ("endpoint", "import", "INPUT"), "result.json", reader="results of load generators"
    ),
    "JSON of pytest-benchmark": Parser(("pytest", "import", "INPUT"), "benchmark.json", ("benchmark.json",)),
    "published rates": Parser(("validate", "inference", "--data", "INPUT"), "rates.csv", ("rates.csv",)),
}  # fmt: skip


def lay_out(parser: Parser, content: bytes, work: Path) -> None:
    """Write a damaged file into a folder, with what its command reads too."""
    for file in parser.beside:
        shutil.copy(CORPUS / file, work / {"calibrated.toml": "own.toml"}.get(file, file))
    files = {}
    if parser.name.startswith("run/"):
        files = {"run/inputs/000/inputs.json": stored_site(), "run/tables/site.parquet": originals("table of sites")[0]}
    if parser.name.startswith("results/") or parser.name == "signers":
        files = {f"results/r/{name}": data for name, data in stored().items()}
    for name, data in {**files, parser.name: content}.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)
