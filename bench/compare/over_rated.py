"""Measured over rated: the ratios of a result to its rated figures, and the verdict by the maker's tolerance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.compare.device_figures import DeviceFigures, Figure, Group
from bench.compare.verdicts import refusal

if TYPE_CHECKING:
    from hardware_profiles.profile import Device

GROUPS: tuple[Group, ...] = ("rate", "power", "energy")


@dataclass(frozen=True, slots=True)
class OverRated:
    """A measured figure over the rated one of the same work and boundary, with the interval of the measurement."""

    group: Group
    of: str
    measured: float  # in `unit`
    rated: float  # in `unit`
    unit: str
    ratio: float  # [-] measured over rated
    interval_95: tuple[float, float] | None  # [-] of the ratio
    tolerance_frac: float | None  # [-] of the rated figure, by its maker; None if it is unknown
    rated_by: str
    rated_confidence: str
    verdict: str = ""  # only for a miner: the peak of a processor is a bound that no measurement reaches
    note: str = ""


@dataclass(frozen=True, slots=True)
class Against:
    """The rated figures that a result is set against; the reason if there are none, or if one has no ratio."""

    lines: tuple[OverRated, ...] = ()
    missing: tuple[str, ...] = ()


def over_rated(subject: DeviceFigures, devices: Sequence["Device"], named: Iterable[DeviceFigures] = ()) -> Against:
    """Return measured over rated for each figure of a result that has a rated counterpart.

    Parameters
    ----------
    subject
        The result.
    devices
        The catalogue, in which its device is looked up.
    named
        Profiles that the user names; a miner is set against these instead.
    """
    from bench.compare.load import of_profile
    from hardware_profiles.catalog import recognise

    if subject.source != "result" or subject.refused:
        return Against()
    if subject.device_kind != "asic":
        device = recognise(subject.device, devices)
        return Against() if device is None else Against(_rates(subject, of_profile(next(device.profiles()))))
    asked = [one for one in named if one.device_kind == "asic" and one.source == "profile"]
    if asked:
        parts = [_miner(subject, one) for one in asked]
        return Against(tuple(x for part in parts for x in part.lines), tuple(x for part in parts for x in part.missing))
    from bench.compare.rated_miner import rated_miner

    known = rated_miner(subject, devices)
    if known.profile is None:
        return Against(missing=(f"{subject.name}: {known.why}",))
    return _miner(subject, of_profile(known.profile), known.why)


def _rates(subject: DeviceFigures, rated: DeviceFigures) -> tuple[OverRated, ...]:
    pairs = ((figure, rated.rate(figure.of)) for figure in subject.figures if figure.group == "rate")
    return tuple(
        _line(figure, match, rated) for figure, match in pairs if match is not None and figure.basis == "measured"
    )


def _miner(subject: DeviceFigures, rated: DeviceFigures, why: str = "") -> Against:
    """Return rate, power and energy of a miner over those of a profile, where both are at one boundary."""
    lines, missing = [], []
    for group in GROUPS:
        match = next((figure for figure in rated.figures if figure.group == group), None)
        figures = [one for one in subject.figures if one.group == group and one.basis == "measured"]
        figure = min(
            figures, key=lambda one: (match is not None and one.boundary != match.boundary, one.tier), default=None
        )
        if match is None or figure is None:
            missing += [f"{subject.name}: no {group} over {rated.name}: not measured"] if match is not None else []
        elif reason := refusal(subject, figure, rated, match):
            missing.append(f"{subject.name}: no {group} over {rated.name}: {reason}")
        else:
            lines.append(_judged(_line(figure, match, rated), subject.unverified if group != "power" else "", why))
    return Against(tuple(lines), tuple(missing))


def _line(figure: Figure, match: Figure, rated: DeviceFigures) -> OverRated:
    low_high = figure.interval
    return OverRated(
        group=figure.group,
        of=figure.of,
        measured=figure.value,
        rated=match.value,
        unit=figure.unit,
        ratio=figure.value / match.value,
        interval_95=(low_high[0] / match.value, low_high[1] / match.value) if low_high else None,
        tolerance_frac=match.tolerance_frac,
        rated_by=rated.name,
        rated_confidence=match.confidence,
    )


def _judged(line: OverRated, unverified: str, note: str) -> OverRated:
    from dataclasses import replace

    if unverified:
        return replace(line, verdict=f"no verdict: {unverified}", note=note)
    if line.interval_95 is None:
        return replace(line, verdict="no verdict: no interval", note=note)
    return replace(line, verdict=verdict(line.interval_95, line.tolerance_frac), note=note)


def verdict(interval_95: tuple[float, float], tolerance_frac: float | None) -> str:
    """Return how a ratio's interval lies to the rated figure, or to the maker's tolerance where it is known."""
    low, high = interval_95
    what, margin = ("rated", 0.0) if tolerance_frac is None else ("tolerance", tolerance_frac)
    if high < 1.0 - margin:
        return f"below {what}"
    if low > 1.0 + margin:
        return f"above {what}"
    if margin and low >= 1.0 - margin and high <= 1.0 + margin:
        return "within tolerance"
    return "cannot tell"
