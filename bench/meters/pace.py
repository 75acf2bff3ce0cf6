"""How often a power meter really shows a new value, learned from its readings before a run."""

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from bench import limits
from bench.meters.group.sums import flat
from bench.meters.integrate import FEWEST_STEPS, SLOWER
from bench.meters.protocol import Meter, MeterInfo, MeterKind, Reading
from bench.meters.stream import JITTER_FRAC, PolledMeter
from hardware_profiles.errors import InputError

_CLEAR = 3.0  # times the doubt of a step: a shorter period is believed only of single steps
_STEADY_PERIODS = 20.0  # without a new value: the load is steady, and the meter cannot be told
_LONGEST_PERIODS = 60.0  # that a meter is watched
_SAID_PERIODS = 6.0  # after which the user reads what takes so long


def watch(meters: Sequence[Meter], on_notice: Callable[[str], None] = lambda _: None) -> None:
    """Watch each power meter until it is known how often it updates, and let it take the period that it shows.

    A meter that is as quick as stated is known after three readings, and one whose value stands still is left as it is:
    a steady load and a slow meter look alike, but only a slow meter shows its new values in equal steps.

    Parameters
    ----------
    meters
        The opened meters.
    on_notice
        Is called with one sentence if that takes longer.

    Raises
    ------
    InputError
        A meter updates too seldom for any energy.
    """
    watched = [one for one in flat(meters) if isinstance(one, PolledMeter) and one.info.kind is MeterKind.POWER]
    start_s, said = time.monotonic(), False
    while open_ := [one for one in watched if not _is_known(one.info, one.readings())]:
        if not said and time.monotonic() - start_s > _SAID_PERIODS * stated_s(open_[0].info):
            said = True
            on_notice(f"{open_[0].info.name} repeats its values; it is watched for how often it updates")
        time.sleep(min(stated_s(one.info) for one in open_) / 4.0)
    for one in watched:
        period_s = learned_period_s(one.info, one.readings())
        if period_s is None:
            continue
        if period_s > limits.SLOWEST_PERIOD_S:
            raise InputError(
                f"--meter {one.info.name}: expected a new value at least every {limits.SLOWEST_PERIOD_S:g} s, got one "
                f"every {period_s:g} s; set the device to update more often, or use another meter"
            )
        one.take_period(period_s)


def stated_s(info: MeterInfo) -> float:
    """Return the time in which a meter should show a new value [s]."""
    return max(info.period_s, info.poll_s)


def learned_period_s(info: MeterInfo, readings: Sequence[Reading]) -> float | None:
    """Return the update period that readings show [s], or None if it is as stated or cannot be told.

    The steps between values that differ are then all long, and multiples of one time: a value may come twice.
    """
    steps_s = _timely_steps_s(readings)
    if len(steps_s) < FEWEST_STEPS or min(steps_s) <= SLOWER * stated_s(info):
        return None
    doubt_s = (1.0 + JITTER_FRAC) * info.poll_s  # a change shows at the next reading
    for base_s in (statistics.median(steps_s), min(steps_s)):
        counts = [max(1, round(step_s / base_s)) for step_s in steps_s]
        period_s = sum(steps_s) / sum(counts)
        if max(counts) > 1 and period_s < _CLEAR * doubt_s:
            continue  # any step is about a multiple of such a time
        if all(abs(step_s - n * period_s) <= doubt_s for step_s, n in zip(steps_s, counts, strict=True)):
            return float(f"{period_s:.2g}")
    return None


def _is_known(info: MeterInfo, readings: Sequence[Reading]) -> bool:
    if not readings:
        return False
    steps_s = _timely_steps_s(readings)
    if len(steps_s) >= FEWEST_STEPS or any(step_s <= SLOWER * stated_s(info) for step_s in steps_s):
        return True
    values = {reading.value for reading in readings}
    watched_s = sum(gap_s for gap_s in _gaps_s(readings) if gap_s <= _late_s(readings))
    return watched_s > (_LONGEST_PERIODS if len(values) > 1 else _STEADY_PERIODS) * stated_s(info)


def _timely_steps_s(readings: Sequence[Reading]) -> list[float]:
    """Return the times between two changes of the value [s], of those that a reading in time showed.

    A machine that is short of time reads late, and the next change then seems to follow closely.
    """
    good = [reading for reading in readings if reading.value is not None]
    late_s = _late_s(good)
    changes = [
        (later.t_s, later.t_s - earlier.t_s) for earlier, later in pairwise(good) if later.value != earlier.value
    ]
    return [t_s - before_s for (before_s, gap_s), (t_s, own_s) in pairwise(changes) if max(gap_s, own_s) <= late_s]


def _late_s(readings: Sequence[Reading]) -> float:
    """Return the time after a reading from which the next one is late [s], by the usual time between two of them."""
    return SLOWER * statistics.median(_gaps_s(readings) or [0.0])


def _gaps_s(readings: Sequence[Reading]) -> list[float]:
    return [later.t_s - earlier.t_s for earlier, later in pairwise(readings)]
