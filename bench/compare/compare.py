"""Results and profiles side by side: ratio, interval and verdict, or the reason why there is none (rules 12 to 15)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.compare.device_figures import DeviceFigures, Figure
from bench.measure import stats
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.measure.quiet_pairs import QuietPairs

SCHEMA = "perwatt.compare/1"
_WORDS = {
    "rate": {"same": "same", "higher": "faster", "lower": "slower", "cannot_tell": "cannot tell"},
    "energy": {"same": "same", "higher": "more energy", "lower": "less energy", "cannot_tell": "cannot tell"},
    "power": {"same": "same", "higher": "more power", "lower": "less power", "cannot_tell": "cannot tell"},
}
NOT_QUIET = "not quiet: no verdict"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one subject, and what it is against the first subject's.

    `ratio` is this over the first; `verdict` is empty where there is none, and then `why` says why. Where there is
    no ratio `why` says that. A subject without any figure has one row, with `why`.
    """

    subject: DeviceFigures
    figure: Figure | None
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    verdict: str = ""
    why: str = ""
    note: str = ""


def compare(subjects: Sequence[DeviceFigures], pairs: "QuietPairs | None" = None) -> list[Row]:
    """Return every figure of every subject, group by group, each against the first subject's.

    `pairs` are interleaved pairs of slices of two subjects, which alone may claim that one is faster on one CPU.

    Raises
    ------
    InputError
        Fewer than two subjects.
    """
    if len(subjects) < 2:
        raise InputError.at("compare", expected="two or more results or profiles", got=len(subjects))
    first = subjects[0]
    rows: list[Row] = []
    for group in ("rate", "energy", "power"):
        wanted = [figure for figure in first.figures if figure.group == group]
        rows.extend(Row(first, figure, why="reference" if not first.refused else first.refused) for figure in wanted)
        for subject in subjects[1:]:
            mine = [figure for figure in subject.figures if figure.group == group]
            rows.extend(_against(subject, figure, first, _counterpart(figure, wanted), pairs) for figure in mine)
    shown = {row.subject.name for row in rows}
    return [*rows, *(Row(s, None, why=s.refused or "no figures") for s in subjects if s.name not in shown)]


def refusal(one: DeviceFigures, a: Figure, other: DeviceFigures, b: Figure) -> str:  # noqa: PLR0911 (one reason each)
    """Return why figure a of `one` over b of `other` may not be a ratio, or nothing where it may."""
    for subject in (one, other):
        if subject.refused:
            return f"{subject.name}: {subject.refused}" if subject is other else subject.refused
    if a.unit != b.unit or a.of != b.of:
        return f"unequal units: {_unit(a)} and {_unit(b)}"
    if a.group != "rate" and a.boundary != b.boundary:
        return f"unequal boundaries: {a.boundary or 'unknown'} and {b.boundary or 'unknown'}"
    if a.basis == b.basis == "measured":
        if a.group != "rate" and a.tier != b.tier:
            return f"two measured tiers: {a.tier} and {b.tier}"
        if a.group != "power" and one.workload != other.workload:
            return f"unequal workloads: {one.workload} and {other.workload}"
        if a.group != "power" and one.version != other.version:
            return f"unequal workload versions: {one.version} and {other.version}"
    if b.value <= 0.0 or a.value <= 0.0:
        return "a figure that is not above 0"
    return ""


def systematic_frac(a: Figure, b: Figure) -> float:
    """Return the standard uncertainty that stays in the ratio [-]: a meter's own error cancels where it read both."""
    same_meter = bool(a.meter_domains) and a.meter_domains == b.meter_domains
    meters = 0.0 if same_meter else math.hypot(a.u_meter_frac, b.u_meter_frac)
    return math.hypot(meters, a.u_work_frac, b.u_work_frac)


def _against(  # noqa: PLR0911 (one case each)
    subject: DeviceFigures, a: Figure, first: DeviceFigures, b: Figure | None, pairs: "QuietPairs | None"
) -> Row:
    if b is None:
        return Row(subject, a, why=f"{first.name} has none")
    why = refusal(subject, a, first, b)
    if why:
        return Row(subject, a, why=why)
    if a.basis != "measured" or b.basis != "measured":
        return Row(subject, a, ratio=a.value / b.value, why=f"no verdict: {a.basis} over {b.basis}")
    if not a.samples or not b.samples:
        return Row(subject, a, ratio=a.value / b.value, why="no verdict: no windows stored")
    found = stats.compare(a.samples, b.samples, systematic_frac(a, b))
    if found.interval is None:
        return Row(subject, a, ratio=found.ratio, why="no verdict: one window has no spread")
    apart = "" if subject.run_id == first.run_id and subject.run_id else "not interleaved"
    warned = ", ".join(dict.fromkeys((*subject.warned, *first.warned)))
    note = "; ".join(filter(None, (apart, _unequal_parameters(subject, first), warned)))
    claim = found.verdict in {"higher", "lower"}
    same_cpu = subject.device_kind == first.device_kind == "cpu" and subject.device == first.device
    if a.group == "rate" and same_cpu and pairs is not None:
        return _by_pairs(subject, a, pairs)
    if a.group == "rate" and claim and same_cpu:
        # One CPU against itself: a difference may be a neighbour's doing, so it takes quiet pairs to claim one.
        return Row(subject, a, found.ratio, found.interval, "", NOT_QUIET, note or "use perwatt compare --run")
    return Row(subject, a, found.ratio, found.interval, _WORDS[a.group][found.verdict], "", note)


def _unequal_parameters(one: DeviceFigures, other: DeviceFigures) -> str:
    """Return what the two were not run alike in, such as threads: a ratio of them is of both things at once."""
    theirs = dict(other.parameters)
    unequal = [f"{key} {value} and {theirs.get(key, '-')}" for key, value in one.parameters if theirs.get(key) != value]
    return f"unequal {', '.join(unequal)}" if unequal else ""


def _by_pairs(subject: DeviceFigures, a: Figure, pairs: "QuietPairs") -> Row:
    """Return the row of the second of two workloads that were interleaved in slices."""
    counted = f"{len(pairs.quiet_pairs)} of {len(pairs.pairs)} pairs quiet, CPU time"
    found = pairs.verdict()
    if found is None:
        return Row(subject, a, pairs.ungated_ratio(), None, "", NOT_QUIET, f"ungated ratio; {counted}")
    return Row(subject, a, found.ratio, found.interval, _WORDS["rate"][found.verdict], "", counted)


def _counterpart(figure: Figure, wanted: Sequence[Figure]) -> Figure | None:
    """Return the first subject's figure nearest to this one: same work and boundary, then same work, then any."""

    def distance(other: Figure) -> tuple[bool, bool, bool, bool]:
        return (
            other.of != figure.of,
            other.boundary != figure.boundary,
            other.tier != figure.tier,
            other.basis != figure.basis,
        )

    return min(wanted, key=distance, default=None)


def _unit(figure: Figure) -> str:
    extra = figure.of.partition(" ")[2]
    return f"{figure.unit} ({extra})" if extra else figure.unit


def as_document(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the rows as one JSON-ready document in SI base units."""
    return {
        "schema": SCHEMA,
        "reference": rows[0].subject.name if rows else None,
        "rows": [_document(row) for row in rows],
    }


def _document(row: Row) -> dict[str, Any]:
    figure = row.figure
    return {
        "name": row.subject.name,
        "title": row.subject.title,
        "kind": row.subject.source,
        "figure": figure.group if figure else None,
        "of": figure.of if figure else None,
        "value": figure.value if figure else None,
        "unit": figure.unit if figure else None,
        "interval_95": figure.interval if figure else None,
        "windows": len(figure.samples) if figure else 0,
        "basis": figure.basis if figure else None,
        "boundary": (figure.boundary if figure else "") or None,
        "tier": (figure.tier if figure else "") or None,
        "confidence": (figure.confidence if figure else "") or None,
        "ratio": row.ratio,
        "ratio_interval_95": row.interval,
        "verdict": row.verdict or None,
        "reason": row.why or None,
        "note": "; ".join(filter(None, (figure.note if figure else "", row.note))) or None,
    }
