"""What the edges of a window may cost the energy that a meter reads: it averages, it is late, or it is read between.

A power meter that averages over A and updates every T shows at each moment the mean power of a time that ended up to T
ago. Its window is the true one, moved back by A/2 + T at most. The energy is wrong by what was drawn in that time
before the window less what was drawn in it before the end, so by no more than (A/2 + T) times the step between the
powers that it shows around both edges. Rule 3 keeps that step small: the load runs on both sides. T is at least the
time between the readings around an edge, because a straight line between them may hide where the power stepped.

A log of another machine has one more error: the offset of the clocks is known within a bound, by which the whole
window may lie elsewhere. It adds to that time, and the powers count from that much before to that much after.

A counter does not average. Between the two readings around an edge, g apart, the power may have stepped; a straight
line between them is wrong by at most g/4 times that step.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from bench.meters.protocol import MeterInfo, MeterKind, Reading

_SLOPE_PERIODS = 3.0  # update periods over which a counter's power before and after an edge is taken


def edges_j(info: MeterInfo, good: Sequence[Reading], t0: float, t1: float, clock_s: float = 0.0) -> float:
    """Return the largest error [J] that the edges of a window cause, by the readings that were seen.

    Parameters
    ----------
    info
        The meter.
    good
        Its readings with a value.
    t0, t1
        Start and end of the window [s, monotonic].
    clock_s
        By how much the clock of a power meter's readings may be off [s].
    """
    times = [reading.t_s for reading in good]
    values = [reading.value for reading in good if reading.value is not None]
    if info.kind is MeterKind.COUNTER:
        return sum(_counter_edge_j(info, times, values, edge) for edge in (t0, t1))
    shown: list[float] = []
    late_s = info.period_s
    later_s = max(info.period_s, info.averaging_s)  # an average shows the whole of a step only this long after it
    for edge in (t0, t1):
        before, after = max(bisect_right(times, edge) - 1, 0), min(bisect_left(times, edge), len(times) - 1)
        first = min(bisect_left(times, edge - info.period_s - clock_s), before)
        shown += values[first : max(bisect_right(times, edge + later_s + clock_s), after + 1)]
        late_s = max(late_s, times[after] - times[before])
    return (info.averaging_s / 2.0 + late_s + clock_s) * (max(shown) - min(shown))


def _counter_edge_j(info: MeterInfo, times: Sequence[float], values: Sequence[float], edge: float) -> float:
    before, after = bisect_right(times, edge) - 1, bisect_left(times, edge)
    if before < 0 or after >= len(times) or before >= after:
        return 0.0  # read at the very edge
    reach_s = _SLOPE_PERIODS * max(info.period_s, info.poll_s)
    earlier = bisect_left(times, times[before] - reach_s)
    later = bisect_right(times, times[after] + reach_s) - 1
    if earlier == before or later == after:
        return 0.0
    step_w = _slope_w(times, values, after, later) - _slope_w(times, values, earlier, before)
    return (times[after] - times[before]) / 4.0 * abs(step_w)


def _slope_w(times: Sequence[float], values: Sequence[float], first: int, last: int) -> float:
    return (values[last] - values[first]) / (times[last] - times[first])
