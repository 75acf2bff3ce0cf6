"""Every figure of the CPU scans that was ever measured: the table beside the evidence page, and the part it prints."""

import csv
import math
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kernels.scan_cpu.variants import BY_NAME

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/evidence/kernels.md"
FIGURES = PAGE.with_name("scan-figures.csv")
HEADING = "| core | ours | other | ours, cycles | other, cycles | ratio of speeds | range | quiet pairs | measured |"


def rows():
    with FIGURES.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def number(text):
    return float(text) if text else math.nan


def printed(row):
    """Return a ratio as a line of the page."""
    masked = f", {row['masked']} masked" if row["masked"] else ""
    spread = f"{row['low']} to {row['high']}" + (" (95 %)" if row["interval"] == "95 %" else "")
    cells = (
        row["machine"].partition(" (")[0], f"`{row['variant']}`{masked}", row["against"], row["cycles_per_hash"] or "-",
        row["cycles_per_hash_of_other"] or "-", f"**{row['ratio']}**", spread,
        f"{row['quiet']} of {row['of']}" if row["of"] else row["quiet"], f"{row['date']}, {row['commit']}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def test_the_page_prints_the_ratios_that_stand_from_the_table():
    lines = [HEADING, "|" + "---|" * HEADING.count(" | ") + "---|"]
    lines += [printed(row) for row in rows() if row["ratio"] and row["stands"] == "yes"]
    assert "\n".join(lines) in PAGE.read_text(encoding="utf-8"), "the page must hold:\n" + "\n".join(lines)


def test_the_cycles_that_stand_are_those_of_the_page():
    lines = PAGE.read_text(encoding="utf-8").replace(",", "").splitlines()
    absolute = [row for row in rows() if not row["ratio"] and row["stands"] == "yes"]
    assert len(absolute) >= 12
    for row in absolute:
        figure = re.compile(rf"[ |`]{row['variant']}[ `].*[ |]{re.escape(row['cycles_per_hash'])}[ |]")
        assert any(figure.search(line) for line in lines), row


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['machine']} {row['variant']} {row['date']}")
def test_a_figure_has_its_machine_date_commit_and_variant(row):
    assert row["machine"]
    assert date(2026, 1, 1) < date.fromisoformat(row["date"]) <= datetime.now(UTC).date()
    assert re.fullmatch(r"[0-9a-f]{7}", row["commit"])
    assert row["variant"].split()[0] in BY_NAME
    assert row["stands"] in {"yes", "no"}
    assert row["ratio"] or row["cycles_per_hash"]
    ratio, low, high = (number(row[key]) for key in ("ratio", "low", "high"))
    assert not low > ratio
    assert not high < ratio
    assert bool(row["low"]) == bool(row["high"]) == bool(row["interval"])
    computed = number(row["cycles_per_hash_of_other"]) / number(row["cycles_per_hash"])
    assert math.isnan(computed) or computed == pytest.approx(ratio, rel=0.02)
    assert int(row["quiet"] or 0) <= int(row["of"] or 10**9)


def test_a_figure_that_stands_has_a_verdict():
    for row in rows():
        assert row["stands"] == "no" or int(row["quiet"]) >= 50, row
