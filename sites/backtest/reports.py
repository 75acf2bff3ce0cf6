"""The reader of miners' monthly production reports, and the reasons why a row cannot test a prediction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

from hardware_profiles.decoding import decimal, is_decimal
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import read_text
from sites.backtest.derived_hashrates import Month, circular_words, derivation
from sites.file.csv_rows import parse_rows
from sites.file.ranges import Range
from sites.market.mining import DAY_S, month_bounds_s

COLUMNS = (
    "company",
    "month",
    "days",
    "deployed_ehs",
    "avg_operating_ehs",
    "btc_produced",
    "fleet_j_per_th",
    "all_in_power_c_per_kwh",
    "hashrate_used",
    "basis_note",
    "source",
)
OPTIONAL = ("fleet_j_per_th", "all_in_power_c_per_kwh")  # which no prediction uses
# From one miner to the whole network; a value outside probably has the wrong unit.
RANGES = {
    "days": Range(28, 31, "days"),
    "deployed_ehs": Range(1e-9, 1e6, "EH/s"),  # from one old miner to a thousand times the network of 2026
    "avg_operating_ehs": Range(1e-9, 1e6, "EH/s"),
    "btc_produced": Range(1e-8, 1e6, "BTC"),  # from a satoshi to more than the blocks of any month paid
    "fleet_j_per_th": Range(0.1, 1e9, "J/TH"),
    "all_in_power_c_per_kwh": Range(-1000, 10_000, "c/kWh"),
}
ZERO_ALLOWED = ("deployed_ehs", "avg_operating_ehs", "btc_produced")  # 0 if nothing ran
BUNDLED = "production.csv"


@dataclass(frozen=True, slots=True)
class Report:
    """A month of one company as reported."""

    line: int  # of the file
    company: str
    month: str  # YYYY-MM
    days: int  # of the calendar month
    deployed_ehs: float | None  # [EH/s]; None if not reported
    avg_operating_ehs: float | None  # [EH/s]; None if not reported
    btc_produced: float  # [BTC]
    hashrate_used: str  # kind of the hash rate: `avg`, `month_end` or empty
    note: str  # of the reporter
    source: str


def bundled_reports() -> list[Report]:
    """Return the monthly reports bundled with perwatt."""
    text = resources.files("sites.data").joinpath(BUNDLED).read_text(encoding="utf-8")
    return parse_reports(text, BUNDLED)


def read_reports(path: Path) -> list[Report]:
    """Read a production table from a CSV file.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing, a month is invalid, a number is invalid or outside the range of
        its column, or the days are not those of the month; the message names line and column.
    """
    return parse_reports(read_text(path, "CSV file"), str(path))


def parse_reports(text: str, path: str) -> list[Report]:
    """Read a production table from CSV text; errors name the path, as those of `read_reports` do."""
    rows = list(parse_rows(text.splitlines(keepends=True), path))
    if not rows:
        raise InputError(f"{path}: expected a heading and rows, got an empty table")
    heading = rows[0][1]
    _check_heading(heading, path)
    if len(rows) == 1:
        raise InputError(f"{path}: expected at least one row, got a heading only")
    return [_report(path, line, heading, row) for line, row in rows[1:]]


def _check_heading(heading: list[str], path: str) -> None:
    for column in COLUMNS:
        if column not in heading and column not in OPTIONAL:
            near = near_names(column, set(heading) - set(COLUMNS))
            raise InputError.at(f"{path}: line 1", column, expected="this column", near=near)
    for index, column in enumerate(heading):
        if heading.index(column) != index:
            raise InputError(f"{path}: line 1: expected each column once, got {column!r} twice")


def _report(path: str, line: int, heading: list[str], row: list[str]) -> Report:
    location = f"{path}: line {line}"
    cells = dict(zip(heading, row, strict=True))
    if not cells["company"]:
        raise InputError.at(location, "company", expected="a name")
    try:
        start, end = month_bounds_s(cells["month"])
    except InputError:
        expected = f"YYYY-MM of 2000 to 2099{_month_cure(cells['month'])}"
        raise InputError.at(location, "month", expected=expected, got=cells["month"]) from None
    in_month = (end - start) // DAY_S
    days = _number(location, cells, "days")
    if days != in_month:
        raise InputError.at(location, "days", expected=f"{in_month} for {cells['month']}", got=cells["days"])
    produced = _number(location, cells, "btc_produced")
    if produced is None:
        raise InputError.at(location, "btc_produced", expected="a number of BTC")
    for column in OPTIONAL:
        _number(location, cells, column)
    return Report(
        line=line,
        company=cells["company"],
        month=cells["month"],
        days=in_month,
        deployed_ehs=_number(location, cells, "deployed_ehs"),
        avg_operating_ehs=_number(location, cells, "avg_operating_ehs"),
        btc_produced=produced,
        hashrate_used=cells["hashrate_used"].casefold(),
        note=cells["basis_note"],
        source=cells["source"],
    )


def _month_cure(text: str) -> str:
    """Return the cure for a month that a spreadsheet has rewritten (Sep-25, Sep 2025), or an empty text."""
    for form in ("%b-%y", "%b %Y", "%b-%Y", "%B %Y"):
        try:
            month = datetime.strptime(text, form)  # noqa: DTZ007 (a month, not a time)
        except ValueError:
            continue
        return f" (a spreadsheet rewrote it: make the column text and write {month:%Y-%m})"
    return ""


def _number(location: str, cells: dict[str, str], column: str) -> float | None:
    text, within = cells.get(column, ""), RANGES[column]
    if not text:
        return None
    try:
        value = decimal(text)
    except ValueError:
        expected = f"a number or nothing{_number_cure(text)}"
        raise InputError.at(location, column, expected=expected, got=text) from None
    if value not in within and not (value == 0 and column in ZERO_ALLOWED):
        zero = "0, or " if column in ZERO_ALLOWED else ""
        raise InputError.at(location, column, expected=f"{zero}a number of {within}", got=text)
    return value


def _number_cure(text: str) -> str:
    """Return the cure for a number with a separator of thousands, which may be a decimal comma; else an empty text."""
    bare = _THOUSANDS.sub("", text)
    if bare == text or not is_decimal(bare):
        return ""
    point = text.replace(",", ".")
    either = f", or {point} if the comma is a decimal one" if is_decimal(point) else ""
    return f" (write {bare}, without a separator of thousands{either})"


_THOUSANDS = re.compile(r"(?<=\d)[,'\u2019 \u00a0\u2009\u202f](?=\d{3}(?:\D|$))")
_MONTH_END = re.compile(r"\b(?:month|period|quarter|year)[\s-]*end\b|\bend[\s-]+of[\s-]+(?:the\s+)?(?:month|period)\b")
_AVERAGE = re.compile(r"\b(?:avg|average|mean)\b")
_OF_MONTH_END = re.compile(r"\b(?:avg|average|mean)\s+of\b.{0,30}?\bend\b")


def refusal(report: Report) -> str | None:  # noqa: PLR0911 (one return for each reason)
    """Return the reason why a row cannot test a prediction, or None if it can.

    A row is refused if it has no average hash rate, if the hash rate is that of the month's end, or if the average was
    derived from the bitcoin produced, according to the words or to the arithmetic of its note.
    """
    note = report.note.casefold()
    average = report.avg_operating_ehs
    month_end = report.hashrate_used in {"month_end", "month-end", "month end", "energized", "deployed"}
    if month_end or (_MONTH_END.search(note) and report.hashrate_used != "avg"):
        return "month-end hash rate, not the month's average"
    if average is None:
        return "no average hash rate"
    if average == 0:
        return "no hash rate: the average is 0"
    if _MONTH_END.search(note) and not _AVERAGE.search(_OF_MONTH_END.sub(" ", note)):
        return "month-end hash rate, not the month's average"
    words = circular_words(note)
    if words:
        return f'circular: the note calls the average "{words}", so it is derived from the BTC produced'
    arithmetic = derivation(note, Month(report.btc_produced, average, report.days, report.deployed_ehs))
    if arithmetic:
        return f"circular: the note's arithmetic derives the average from the BTC produced ({arithmetic})"
    if report.hashrate_used != "avg":
        return f"hash rate not stated to be the month's average (hashrate_used is {report.hashrate_used!r})"
    return None
