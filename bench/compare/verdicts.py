"""Ratios and verdicts between results and profiles, or the reason why there is none (method rules 12 to 15)."""

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
    """One figure of one subject, compared with the first subject's."""

    subject: DeviceFigures
    figure: Figure | None  # None for a subject without any figure
    ratio: float | None = None  # this figure over the first subject's
    interval: tuple[float, float] | None = None  # 95 %, of the ratio
    verdict: str = ""
    why: str = ""  # reason why there is no ratio or no verdict
    note: str = ""


def compare(subjects: Sequence[DeviceFigures], pairs: "QuietPairs | None" = None) -> list[Row]:
    """Return every figure of every subject, group by group, each compared with the first subject's.

    Parameters
    ----------
    pairs
        Interleaved slices of two subjects; only they allow a claim that one is faster on the same CPU.

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
        references = [figure for figure in first.figures if figure.group == group]
        rows.extend(
            Row(first, figure, why="reference" if not first.refused else first.refused) for figure in references
        )
        for subject in subjects[1:]:
            figures = [figure for figure in subject.figures if figure.group == group]
            rows.extend(_against(subject, figure, first, _counterpart(figure, references), pairs) for figure in figures)
    shown = {row.subject.name for row in rows}
    return [*rows, *(Row(s, None, why=s.refused or "no figures") for s in subjects if s.name not in shown)]


def refusal(one: DeviceFigures, a: Figure, other: DeviceFigures, b: Figure) -> str:  # noqa: PLR0911 (one reason each)
    """Return why figure a of `one` over b of `other` is no valid ratio, or an empty text."""
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
            return _unequal_workloads(one, other)
        if a.group != "power" and one.version != other.version:
            return f"unequal workload versions: {one.version} and {other.version}"
    if b.value <= 0.0 or a.value <= 0.0:
        return "a figure not above 0"
    return ""


def _unequal_workloads(one: DeviceFigures, other: DeviceFigures) -> str:
    """Return the names of two workloads, and the numbers of midstates if a schedule serves more of them in one."""
    midstates = [dict(subject.parameters).get("midstates_per_schedule", "1") for subject in (one, other)]
    shared = "" if midstates[0] == midstates[1] else f" ({' and '.join(midstates)} midstates per message schedule)"
    return f"unequal workloads: {one.workload} and {other.workload}{shared}"


def systematic_frac(a: Figure, b: Figure) -> float:
    """Return the standard uncertainty of the ratio [-] from meters and work; the error of a shared meter cancels."""
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
    comparison = stats.compare(a.samples, b.samples, systematic_frac(a, b))
    if comparison.interval is None:
        return Row(subject, a, ratio=comparison.ratio, why="no verdict: one window has no spread")
    order = "" if subject.run_id == first.run_id and subject.run_id else "not interleaved"
    warned = ", ".join(dict.fromkeys((*subject.warned, *first.warned)))
    note = "; ".join(filter(None, (order, _unequal_parameters(subject, first), warned)))
    claim = comparison.verdict in {"higher", "lower"}
    same_cpu = subject.device_kind == first.device_kind == "cpu" and subject.device == first.device
    if a.group == "rate" and same_cpu and pairs is not None:
        return _by_pairs(subject, a, pairs)
    if a.group == "rate" and claim and same_cpu:
        # The same CPU twice: another tenant may cause a difference, so a claim takes quiet pairs.
        return Row(
            subject, a, comparison.ratio, comparison.interval, "", NOT_QUIET, note or "use perwatt compare --run"
        )
    return Row(subject, a, comparison.ratio, comparison.interval, _WORDS[a.group][comparison.verdict], "", note)


_OF_ONE_RUN = ("seed", "warm_up_s")  # parameters that differ in any two runs against an endpoint


def _unequal_parameters(one: DeviceFigures, other: DeviceFigures) -> str:
    """Return the parameters in which two results differ, such as threads: their ratio includes that difference."""
    others = dict(other.parameters)
    unequal = [
        f"{key} {value} and {others.get(key, '-')}"
        for key, value in one.parameters
        if others.get(key) != value and key not in _OF_ONE_RUN
    ]
    return f"unequal {', '.join(unequal)}" if unequal else ""


def _by_pairs(subject: DeviceFigures, a: Figure, pairs: "QuietPairs") -> Row:
    """Return the row of the second of two interleaved workloads."""
    counted = f"{len(pairs.quiet_pairs)} of {len(pairs.pairs)} pairs quiet, CPU time"
    comparison = pairs.verdict()
    if comparison is None:
        return Row(subject, a, pairs.ungated_ratio(), None, "", NOT_QUIET, f"ungated ratio; {counted}")
    return Row(subject, a, comparison.ratio, comparison.interval, _WORDS["rate"][comparison.verdict], "", counted)


def _counterpart(figure: Figure, references: Sequence[Figure]) -> Figure | None:
    """Return the reference nearest to a figure: of the same work and boundary, else of the same work, else any."""

    def distance(other: Figure) -> tuple[bool, bool, bool, bool]:
        return (
            other.of != figure.of,
            other.boundary != figure.boundary,
            other.tier != figure.tier,
            other.basis != figure.basis,
        )

    return min(references, key=distance, default=None)


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
