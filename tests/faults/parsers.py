"""Each reader of a file, the command that reaches it, and valid files to damage."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).with_name("corpus")


@dataclass(frozen=True)
class Parser:
    """One reader: the file INPUT of its command is damaged."""

    argv: tuple[str, ...]
    name: str  # of the damaged file, which replaces INPUT in argv
    corpus: tuple[Path, ...]
    beside: tuple[Path, ...] = ()  # files that the command reads too, undamaged


PARSERS = {
    "profile": Parser(
        ("profile", "check", "INPUT"),
        "own.toml",
        (
            ROOT / "hardware_profiles/asic/antminer-s21.toml",
            *sorted((ROOT / "hardware_profiles").rglob("*h200*.toml"))[:1],
        ),
    ),
    "site": Parser(("yield", "INPUT"), "site.toml", (CORPUS / "small.toml",)),
    "scenarios": Parser(
        ("yield", "georgia-50mw-mining", "--scenarios", "2", "--scenario-file", "INPUT"),
        "scenarios.toml",
        (CORPUS / "scenarios.toml",),
    ),
    "plan": Parser(
        ("yield", "georgia-50mw-mining", "--scenarios", "2", "--capital", "INPUT"),
        "plan.toml",
        (CORPUS / "plan.toml",),
    ),
    "series": Parser(("yield", "site.toml"), "price.csv", (CORPUS / "price.csv",), (CORPUS / "site.toml",)),
    "log": Parser(("meter", "check", "trace:INPUT"), "power.csv", (CORPUS / "power.csv",)),
    "headers": Parser(("verify", "headers", "INPUT"), "headers.csv", (CORPUS / "headers.csv",)),
    "result": Parser(("show", "results/r", "--json"), "results/r/result.json", ()),
    "store": Parser(("list", "results"), "results/r/result.json", ()),
    "pytest": Parser(("pytest", "import", "INPUT"), "benchmark.json", (CORPUS / "benchmark.json",)),
    "rates": Parser(("validate", "inference", "--data", "INPUT"), "rates.csv", (CORPUS / "rates.csv",)),
}
