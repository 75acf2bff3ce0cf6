"""Energy of a window from the readings of a meter, as pure functions; every doubt is a reason code (method rule 4)."""

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bench import limits
from bench.meters.edges import edges_j
from bench.meters.protocol import EnergyReading, MeterInfo, MeterKind, Reading

SLOWER, FEWEST_STEPS = 1.5, 5  # times its stated period: less is the jitter of the readings; changes that it takes


@dataclass(frozen=True, slots=True)
class _Part:
    """The readings from the last one at or before t0 to the first one at or after t1."""

    every: list[Reading]
    good: list[Reading]  # those with a value
    covers_start: bool
    covers_end: bool


def max_gap_s(info: MeterInfo) -> float:
    """Return the longest gap between samples that a window may have [s]."""
    return max(limits.MAX_GAP_PERIODS * max(info.period_s, info.poll_s), limits.MAX_GAP_FLOOR_S)


def energy_of(info: MeterInfo, readings: Sequence[Reading], t0: float, t1: float) -> EnergyReading:
    """Return the energy of a meter's readings from t0 to t1 [s, monotonic], or the reasons why there is none."""
    if info.kind is MeterKind.COUNTER:
        return counter_energy(info, readings, t0, t1)
    return power_energy(info, readings, t0, t1)


def counter_energy(info: MeterInfo, readings: Sequence[Reading], t0: float, t1: float) -> EnergyReading:
    """Return the energy of a counter [J]: its difference between the edges, each interpolated between two readings."""
    part = _slice(readings, t0, t1)
    codes = _stream_codes(part)
    inside = [reading for reading in part.good if t0 <= reading.t_s <= t1]
    gap_s = _largest_gap(part.good)
    limit_s = max_gap_s(info)
    joules: float | None = None
    halves: tuple[float, float] | None = None
    if len(part.good) < 2 or not part.covers_end or not _edges_close(part.good, t0, t1, limit_s):
        codes.append("edge_missing")
    else:
        start, middle, end = (_at(part.good, t) for t in (t0, (t0 + t1) / 2.0, t1))
        joules, halves = end - start, (middle - start, end - middle)
        if _longest_hold(part.good) > max(20.0 * info.period_s, 2.5 * info.poll_s) or joules <= 0.0:
            codes.append("counter_stalled")
    reading = _reading(info, t0, t1, joules, halves, len(inside), gap_s, codes)
    return _with_edges(reading, info, readings, t0, t1)


def power_energy(
    info: MeterInfo, readings: Sequence[Reading], t0: float, t1: float, clock_s: float = 0.0
) -> EnergyReading:
    """Return the energy of a power meter [J]: the trapezoid over its samples, with interpolated edges.

    Parameters
    ----------
    info
        The meter.
    readings
        Its readings.
    t0, t1
        Start and end of the window [s, monotonic].
    clock_s
        By how much the clock of the readings may be off [s]: widens the limit of the edges.
    """
    part = _slice(readings, t0, t1)
    codes = _stream_codes(part)
    fresh = distinct(part.good)
    inside = [reading for reading in fresh if t0 <= reading.t_s <= t1]
    gap_s = _largest_gap(part.good)
    limit_s = max_gap_s(info)
    joules: float | None = None
    halves: tuple[float, float] | None = None
    if any(reading.value is not None and reading.value < 0.0 for reading in part.good):
        codes.append("negative_power")
    if info.period_s > limits.SLOWEST_PERIOD_S:
        codes.append("meter_too_slow")
    if len(part.good) < 2 or not (part.covers_start and part.covers_end):
        codes.append("edge_missing")
    else:
        middle = (t0 + t1) / 2.0
        halves = (_trapezoid(part.good, t0, middle), _trapezoid(part.good, middle, t1))
        joules = sum(halves)
        if joules == 0.0:
            codes.append("no_power")
        if gap_s is not None and gap_s > limit_s:
            codes.append("sample_gap")
        codes.extend(_freshness_codes(info, readings, part, fresh, len(inside), t1))
    reading = _reading(info, t0, t1, joules, halves, len(inside), gap_s, codes)
    return _with_edges(reading, info, readings, t0, t1, clock_s)


def distinct(good: Sequence[Reading]) -> list[Reading]:
    """Return the readings that do not repeat the one before."""
    kept: list[Reading] = []
    for reading in good:
        if not kept or (reading.value, reading.token) != (kept[-1].value, kept[-1].token):
            kept.append(reading)
    return kept


def seen_period_s(readings: Sequence[Reading]) -> float | None:
    """Return the median time between two values that differ [s], or None for fewer than three."""
    steps = steps_s(readings)
    return statistics.median(steps) if steps else None


def slower_words(info: MeterInfo, readings: Sequence[Reading]) -> str:
    """Return that a meter shows new values more seldom than its period says, and what to do; empty if it does not.

    A steady load repeats values as a slow meter does, though two of its changes follow each other closely now and then.
    """
    steps, stated_s = value_steps_s(readings), max(info.period_s, info.poll_s)
    if len(steps) < FEWEST_STEPS or min(steps) <= SLOWER * stated_s:
        return ""
    period_s = statistics.median(steps)
    needed_s = float(f"{period_s:.2g}")
    cure = f"add period={needed_s:g}" if needed_s <= limits.SLOWEST_PERIOD_S else "use another meter"
    return (
        f"a new value every {period_s:.3g} s, but {stated_s:.3g} s is stated as its update period: the load is steady, "
        f"or the meter is slow, then {cure}"
    )


def value_steps_s(readings: Sequence[Reading]) -> list[float]:
    """Return the times between powers that differ [s]; a counter's steps and a device's clock tell nothing of them."""
    return steps_s([replace(reading, token=None) for reading in readings])


def steps_s(readings: Sequence[Reading]) -> list[float]:
    """Return the times between values that differ [s]; the first value has lasted for an unknown time."""
    fresh = distinct([reading for reading in readings if reading.value is not None])
    return [later.t_s - earlier.t_s for earlier, later in pairwise(fresh[1:])]


def _freshness_codes(  # noqa: PLR0913, PLR0917 (one step of power_energy)
    info: MeterInfo,
    readings: Sequence[Reading],
    part: _Part,
    fresh: Sequence[Reading],
    inside: int,
    t1: float,
) -> list[str]:
    """Return the codes of a frozen meter, as far as its readings distinguish it from a constant load.

    A meter whose value never changed has a constant load or is dead, which is a warning. One that changed before and
    then repeats one sample for long is frozen. Otherwise the window needs enough distinct samples.
    """
    if len(fresh) == 1:
        before = distinct([r for r in readings if r.value is not None and r.t_s <= t1])
        if len(before) > 1:
            return ["samples_stale"]
        return ["samples_repeated"] if len(part.good) >= limits.MIN_SAMPLES else ["too_few_samples"]
    codes = []
    hold_s = max(b.t_s - a.t_s for a, b in zip(fresh, [*fresh[1:], part.good[-1]], strict=True))
    if hold_s > max(limits.FROZEN_PERIODS * info.period_s, max_gap_s(info)):
        codes.append("samples_stale")
    elif hold_s > max_gap_s(info):
        codes.append("sample_gap")
    if inside < limits.MIN_SAMPLES:
        codes.append("too_few_samples")
    return codes


def _with_edges(  # noqa: PLR0913, PLR0917 (one step of both energies)
    reading: EnergyReading, info: MeterInfo, readings: Sequence[Reading], t0: float, t1: float, clock_s: float = 0.0
) -> EnergyReading:
    if reading.joules is None:
        return reading
    good = [one for one in readings if one.value is not None]
    return replace(reading, edges_j=edges_j(info, good, t0, t1, clock_s))


def _slice(readings: Sequence[Reading], t0: float, t1: float) -> _Part:
    good = [reading for reading in readings if reading.value is not None]
    times = [reading.t_s for reading in good]
    first = bisect_right(times, t0) - 1
    last = bisect_left(times, t1)
    covers_start, covers_end = first >= 0, last < len(times)
    chosen = good[max(first, 0) : last + 1]
    lower = chosen[0].t_s if chosen and covers_start else t0
    upper = chosen[-1].t_s if chosen and covers_end else t1
    every = [reading for reading in readings if lower < reading.t_s <= upper]
    return _Part(every, chosen, covers_start, covers_end)


def _stream_codes(part: _Part) -> list[str]:
    codes = [code for reading in part.every for code in reading.codes]
    offsets = [reading.utc_s - reading.t_s for reading in (*part.good[:1], *part.every)]
    if offsets and max(offsets) - min(offsets) > limits.CLOCK_STEP_S:
        codes.append("clock_step")
    return codes


def _largest_gap(good: Sequence[Reading]) -> float | None:
    return max((b.t_s - a.t_s for a, b in pairwise(good)), default=None)


def _longest_hold(good: Sequence[Reading]) -> float:
    longest, since = 0.0, good[0]
    for reading in good[1:]:
        if reading.value != since.value:
            since = reading
        longest = max(longest, reading.t_s - since.t_s)
    return longest


def _edges_close(good: Sequence[Reading], t0: float, t1: float, limit_s: float) -> bool:
    """Return whether the readings on both sides of each edge are at most `limit_s` apart."""
    times = [reading.t_s for reading in good]
    for edge in (t0, t1):
        after = bisect_left(times, edge)
        if after >= len(times):
            return False
        before_s = times[after - 1] if after > 0 else edge
        if times[after] - before_s > limit_s:
            return False
    return True


def _at(good: Sequence[Reading], t: float) -> float:
    """Return the value at a moment, interpolated between the readings on both sides."""
    times = [reading.t_s for reading in good]
    after = bisect_left(times, t)
    if after == 0:
        return _value(good[0])
    if after >= len(good):
        return _value(good[-1])
    a, b = good[after - 1], good[after]
    share = (t - a.t_s) / (b.t_s - a.t_s) if b.t_s > a.t_s else 1.0
    return _value(a) + share * (_value(b) - _value(a))


def _trapezoid(good: Sequence[Reading], t0: float, t1: float) -> float:
    inner = [(reading.t_s, _value(reading)) for reading in good if t0 < reading.t_s < t1]
    points = [(t0, _at(good, t0)), *inner, (t1, _at(good, t1))]
    return math.fsum((tb - ta) * (va + vb) / 2.0 for (ta, va), (tb, vb) in pairwise(points))


def _value(reading: Reading) -> float:
    return reading.value if reading.value is not None else math.nan


def _reading(  # noqa: PLR0913, PLR0917 (the parts of one record)
    info: MeterInfo,
    t0: float,
    t1: float,
    joules: float | None,
    halves: tuple[float, float] | None,
    samples: int,
    gap_s: float | None,
    codes: Sequence[str],
) -> EnergyReading:
    if joules is not None and not math.isfinite(joules):
        codes = [*codes, "not_finite"]
    return EnergyReading(
        meter=info.name,
        joules=joules,
        boundary=info.boundary,
        tier=info.tier,
        accuracy_frac=info.accuracy_frac,
        accuracy_source=info.accuracy_source,
        duration_s=t1 - t0,
        samples=samples,
        largest_gap_s=gap_s,
        half_energies_j=halves,
    ).judged(codes)
