"""Whether a look at a device shows a level: fresh positive evidence confirms, fresh evidence of another contradicts."""

from bench.levers.protocol import Evidence, Observation
from sites.control.model import OFF, UnitState

FRESH_S = 60.0  # [s] oldest look that counts


def judge(level: str, seen: Observation, now_s: float, fresh_s: float = FRESH_S) -> Evidence:
    """Return whether an observation shows a level.

    A look that is too old, or at a device between two levels, is no evidence for either.

    Parameters
    ----------
    level
        The level.
    seen
        The look.
    now_s
        Time [s, Unix] on the clock of the look.
    fresh_s
        Oldest look that counts [s].
    """
    if not 0.0 <= now_s - seen.at_s <= fresh_s or seen.state in {UnitState.UNKNOWN, UnitState.CHANGING}:
        return Evidence.UNKNOWN
    if seen.state is UnitState.FAULT:  # it does not work, and nothing says that it is off
        return Evidence.UNKNOWN if level == OFF else Evidence.CONTRARY
    if seen.level is None:
        return Evidence.UNKNOWN
    return Evidence.CONFIRMED if seen.level == level else Evidence.CONTRARY
