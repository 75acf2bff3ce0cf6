"""The sum of several meters of one boundary, such as the plugs of a node's two power supplies, as one meter."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import limits
from bench.diagnostics import unique
from bench.meters.logs import SETTINGS, EmptyLogError, column_names
from bench.meters.protocol import EnergyReading, Meter, MeterInfo, MeterKind, NoticeMeter, PollingMeter, Reading
from hardware_profiles.errors import InputError
from hardware_profiles.opening import is_there


class SumMeter:
    """Two or more meters that are added, window by window.

    Raises
    ------
    InputError
        There is only one meter, one of them declares a power, or their boundaries differ.
    """

    def __init__(self, name: str, parts: Sequence[Meter]) -> None:
        place = f"--meter …,sum={name}"
        if len(parts) < 2:
            raise InputError.at(place, expected="two or more meters with this sum", got=_names(parts))
        if any(part.info.kind is MeterKind.DECLARED for part in parts):
            raise InputError.at(place, expected="meters that measure", got="declared, an assumption")
        if len({part.info.boundary for part in parts}) > 1:
            got = ", ".join(f"{part.info.boundary} ({part.info.name})" for part in parts)
            raise InputError.at(place, "boundary", expected="one boundary for all parts of a sum", got=got)
        self.name = name
        self.parts = tuple(parts)
        self._joules = [0.0] * len(parts)  # [J] by part, over all that was read: the weights of their accuracies

    @property
    def info(self) -> MeterInfo:
        """The description of the sum: the slowest period, the worst tier, accuracies added as limits."""
        infos = [part.info for part in self.parts]
        counters = all(info.kind is MeterKind.COUNTER for info in infos)
        stated = any(info.accuracy_frac is not None for info in infos)
        return MeterInfo(
            name=f"sum:{self.name}",
            kind=MeterKind.COUNTER if counters else MeterKind.POWER,
            boundary=infos[0].boundary,
            tier=max(info.tier for info in infos),
            accuracy_frac=_accuracy_frac(infos, self._joules) if stated else None,
            accuracy_source="the parts' limits, weighted by their energies" if stated else "none stated",
            period_s=max(info.period_s for info in infos),
            averaging_s=max(info.averaging_s for info in infos),
            poll_s=max(info.poll_s for info in infos),
            domains=tuple(domain for info in infos for domain in info.domains),
            scope=f"sum of {_names(self.parts)}",
            parts=tuple(infos),
            covers=unique(device for info in infos for device in info.covers) if all(i.covers for i in infos) else (),
        )

    @property
    def notice(self) -> str:
        """What the parts have to say before the run."""
        return "; ".join(part.notice for part in self.parts if isinstance(part, NoticeMeter) and part.notice)

    @property
    def polling_s(self) -> float:
        """CPU time of the parts' threads so far [s]."""
        return sum(part.polling_s for part in self.parts if isinstance(part, PollingMeter))

    def open(self) -> None:
        """Open every part, or none."""
        with contextlib.ExitStack() as opened:
            for part in self.parts:
                part.open()
                opened.callback(part.close)
            opened.pop_all()

    def mark(self) -> None:
        """Mark every part."""
        for part in self.parts:
            part.mark()

    def readings(self) -> Sequence[Reading]:
        """Return no readings: those of the parts are never taken at one moment."""
        return ()

    def energy(self, t0: float, t1: float) -> EnergyReading:
        """Return the sum of the parts' energies; one that is missing leaves no sum."""
        readings = [part.energy(t0, t1) for part in self.parts]
        for index, reading in enumerate(readings):
            self._joules[index] += reading.joules or 0.0
        return add(self.info, readings, t1 - t0)

    def close(self) -> None:
        """Close every part."""
        for part in self.parts:
            part.close()


def add(info: MeterInfo, readings: Sequence[EnergyReading], duration_s: float) -> EnergyReading:
    """Return the sum of the energies of one window, or the reasons of the parts that have none."""
    joules = [reading.joules for reading in readings if reading.joules is not None]
    halves = [reading.half_energies_j for reading in readings if reading.half_energies_j is not None]
    whole = len(joules) == len(readings)
    accuracy_frac = info.accuracy_frac
    if whole and accuracy_frac is not None:
        accuracy_frac = _accuracy_frac(info.parts, joules)
    return EnergyReading(
        meter=info.name,
        joules=math.fsum(joules) if whole else None,
        boundary=info.boundary,
        tier=info.tier,
        accuracy_frac=accuracy_frac,
        accuracy_source=info.accuracy_source,
        duration_s=max((reading.duration_s for reading in readings), key=lambda s: abs(s - duration_s)),
        samples=min(reading.samples for reading in readings),
        largest_gap_s=max((r.largest_gap_s for r in readings if r.largest_gap_s is not None), default=None),
        reasons=unique(code for reading in readings for code in reading.reasons),
        warnings=unique(code for reading in readings for code in reading.warnings),
        detail="; ".join(f"{reading.meter}: {_why(reading)}" for reading in readings if _why(reading)),
        half_energies_j=(
            (math.fsum(first for first, _ in halves), math.fsum(second for _, second in halves))
            if whole and len(halves) == len(readings)
            else None
        ),
        edges_j=math.fsum(reading.edges_j or 0.0 for reading in readings) if whole else None,
    )


def flat(meters: Sequence[Meter]) -> list[Meter]:
    """Return the meters with every sum replaced by its parts."""
    return [part for meter in meters for part in (meter.parts if isinstance(meter, SumMeter) else (meter,))]


def sums_rows(target: str, settings: Mapping[str, str], *, alone: bool) -> bool:
    """Return whether `sum=NAME` of a log names one of its columns, so that its rows of several devices are added.

    Parameters
    ----------
    target
        The log's path.
    settings
        The settings of its spec.
    alone
        Whether no other meter has this sum. The name of a log that does not exist yet is then taken for a column.

    Raises
    ------
    InputError
        The name is no column of the log and no other meter has this sum, or the file is not a log.
    """
    path, name = Path(target), settings["sum"]
    if not is_there(path):
        return alone
    try:
        columns = column_names(path, {key: value for key, value in settings.items() if key in SETTINGS})
    except EmptyLogError:
        return alone
    if name.casefold() in map(str.casefold, columns):
        return True
    if alone:
        expected = f"a column of the log ({', '.join(columns)}) or a second meter with sum={name}"
        raise InputError.at(f"--meter trace:{target}", "sum", expected=expected, got=name)
    return False


def _accuracy_frac(infos: Sequence[MeterInfo], joules: Sequence[float]) -> float:
    """Return the largest relative error of a sum [-]: all parts are wrong by their limits, in one direction."""
    accuracies = [
        info.accuracy_frac if info.accuracy_frac is not None else limits.UNSTATED_ACCURACY_FRAC[info.tier]
        for info in infos
    ]
    total_j = math.fsum(joules)
    if total_j <= 0.0:
        return max(accuracies)
    return math.fsum(accuracy * part_j for accuracy, part_j in zip(accuracies, joules, strict=True)) / total_j


def _why(reading: EnergyReading) -> str:
    return ", ".join(filter(None, (*reading.reasons, reading.detail)))


def _names(parts: Sequence[Meter]) -> str:
    return " + ".join(part.info.name for part in parts)
