"""What the firmware shows during the windows: readings by a thread, and their means over the same windows.

All of it is tier D. It stands next to the verified figures and never enters them.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.miners.record import MinerReading
from bench.results.evidence.miner import Displayed
from bench.stratum.difficulty import HASHES_PER_DIFFICULTY_1
from bench.workloads.protocol import Spans

SHORT_S = 900.0  # [s] longest averaging window of a rate whose readings may stand for a window of ours
_SHORT = ("instant", "mean", "decay")
_STOP_S = 30.0  # [s] longest wait for a reading that is under way when the run ends


@dataclass(frozen=True, slots=True)
class Timed:
    """One reading with its moment."""

    at_s: float  # [s, monotonic] when it ended
    reading: MinerReading


class Telemetry:
    """A thread that reads the firmware of a miner again and again, as often as its family allows.

    Parameters
    ----------
    read
        Returns one reading.
    period_s
        Time from one reading to the next [s], at least what the family allows.
    first
        The reading that identified the miner.
    """

    def __init__(self, read: Callable[[], MinerReading], period_s: float, first: MinerReading) -> None:
        self.first = first
        self.failures: list[str] = []
        self._read, self._period_s = read, period_s
        self._timed = [Timed(time.monotonic(), first)]
        self._end = threading.Event()
        self._started = False
        self._thread = threading.Thread(target=self._run, name="miner telemetry", daemon=True)

    @property
    def readings(self) -> list[Timed]:
        """All readings so far."""
        return list(self._timed)

    @property
    def newest(self) -> MinerReading:
        """The newest reading."""
        return self._timed[-1].reading

    def start(self) -> None:
        """Start reading; a second call does nothing."""
        if not self._started:
            self._started = True
            self._thread.start()

    def stop(self) -> None:
        """Stop reading; may be called twice."""
        self._end.set()
        if self._started:
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._end.wait(self._period_s):
            try:
                reading = self._read()
            except Exception as error:  # noqa: BLE001 (a firmware that fails to answer must not end the run)
                self.failures.append(f"{error}")
            else:
                self._timed.append(Timed(time.monotonic(), reading))


@dataclass(frozen=True, slots=True)
class Summary:
    """The readings of the windows, summed up."""

    readings: int = 0
    displayed: tuple[Displayed, ...] = ()
    temperatures_c: dict[str, float] = field(default_factory=dict)
    mode: str = ""
    warnings: tuple[str, ...] = ()
    restarts: int = 0  # times that the firmware's own clock fell


def summarise(timed: Sequence[Timed], spans: Spans) -> Summary:
    """Return the means of what the firmware showed over the windows, and the differences of its counters.

    Parameters
    ----------
    timed
        The readings in order of time.
    spans
        The windows [s, monotonic].
    """
    inside = [one for one in timed if any(start <= one.at_s <= end for start, end in spans)]
    readings = [one.reading for one in inside]
    if not readings:
        return Summary()
    last = readings[-1]
    pairs = [
        (earlier, later)
        for start, end in spans
        for earlier, later in _neighbours([one for one in inside if start <= one.at_s <= end])
    ]
    return Summary(
        readings=len(readings),
        displayed=(*_rates(readings), *_by_counters(pairs), *_powers(readings)),
        temperatures_c=_temperatures(readings),
        mode=" ".join(part for part in (last.mode.name, last.mode.profile) if part),
        warnings=tuple(dict.fromkeys(warning for reading in readings for warning in reading.warnings)),
        restarts=sum(_restarted(*pair) for pair in pairs),
    )


def _neighbours(timed: Sequence[Timed]) -> list[tuple[Timed, Timed]]:
    return list(itertools.pairwise(timed))


def _rates(readings: Sequence[MinerReading]) -> list[Displayed]:
    """Return the mean of each rate over a short time; a rate since the restart says little of the windows."""
    values: dict[str, list[float]] = {}
    kinds: dict[str, tuple[str, str]] = {}
    for reading in readings:
        for rate in reading.rates:
            short = rate.averaging in _SHORT and (rate.window_s is None or rate.window_s <= SHORT_S)
            if short and rate.basis != "nominal":
                values.setdefault(rate.raw_key, []).append(rate.rate_h_s)
                window = "" if rate.window_s is None else f" over {rate.window_s:g} s"
                kinds[rate.raw_key] = (rate.basis, f"{rate.averaging}{window}")
    return [
        Displayed(
            quantity="rate", raw_key=key, method="mean_of_readings", kind=kinds[key][0], averaging=kinds[key][1],
            value=statistics.fmean(of_key), readings=len(of_key),
        )
        for key, of_key in values.items()
        if statistics.fmean(of_key) > 0.0
    ]  # fmt: skip


def _powers(readings: Sequence[MinerReading]) -> list[Displayed]:
    values: dict[str, list[float]] = {}
    kinds: dict[str, str] = {}
    for reading in readings:
        for power in reading.powers:
            values.setdefault(power.raw_key, []).append(power.power_w)
            kinds[power.raw_key] = power.kind
    return [
        Displayed(
            quantity="power", raw_key=key, method="mean_of_readings", kind=kinds[key],
            value=statistics.fmean(of_key), readings=len(of_key),
        )
        for key, of_key in values.items()
        if statistics.fmean(of_key) > 0.0
    ]  # fmt: skip


def _by_counters(pairs: Sequence[tuple[Timed, Timed]]) -> list[Displayed]:
    """Return the rates that follow from counters of the firmware; an interval with a restart is left out."""
    whole = [pair for pair in pairs if not _restarted(*pair)]
    found = []
    for key, scale, basis in (
        ("hashes", 1.0, "hash_counters"),
        ("accepted_difficulty", HASHES_PER_DIFFICULTY_1, "shares"),
    ):
        steps = []
        for earlier, later in whole:
            before, after = (getattr(one.reading.counters, key) for one in (earlier, later))
            if before is not None and after is not None and after >= before:
                steps.append((after - before, later.at_s - earlier.at_s))
        time_s, count = sum(step[1] for step in steps), sum(step[0] for step in steps)
        if time_s > 0.0 and count > 0.0:
            found.append(
                Displayed(
                    quantity="rate", raw_key=f"counter {key}", method="counter_difference", kind=basis,
                    value=count * scale / time_s, readings=len(steps) + 1,
                )
            )  # fmt: skip
    return found


def _restarted(earlier: Timed, later: Timed) -> bool:
    before, after = earlier.reading.counters.elapsed_s, later.reading.counters.elapsed_s
    return before is not None and after is not None and after < before


def _temperatures(readings: Sequence[MinerReading]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for reading in readings:
        for temperature in reading.temperatures:
            values.setdefault(temperature.place, []).append(temperature.temperature_c)
    return {place: statistics.fmean(of_place) for place, of_place in sorted(values.items())}
