"""The update period of a log: the stated one, the one seen in its values, and what a user should know of the two."""

from bench import limits
from bench.meters.logs import Log
from hardware_profiles.errors import InputError

NOTED_FRAC = 1.05  # [-] seen over stated period above which the difference is said


def seen_s(log: Log) -> float:
    """Return the time between two new values of a log [s], or between its rows if its value never changes."""
    return log.period_s or log.step_s or 0.0


def update_period_s(log: Log, stated_s: float | None) -> float:
    """Return the update period of a log that covers its run [s]: the longer of the stated and the seen one."""
    return max(stated_s or 0.0, seen_s(log))


def planned_period_s(name: str, log: Log, stated_s: float | None) -> float:
    """Return the update period by which a run is planned from what the log holds before it [s].

    A machine that idles may hold one value for long, so a log that looks too slow counts by its rows.

    Raises
    ------
    InputError
        Its rows are so far apart that the windows would take minutes and give no energy.
    """
    row_s = log.step_s or 0.0
    if row_s > limits.SLOWEST_PERIOD_S:
        expected = f"a row at least every {limits.SLOWEST_PERIOD_S:g} s, because a slower meter gives no energy"
        raise InputError.at(name, expected=expected, got=f"one every {row_s:g} s")
    if stated_s is not None:
        return max(stated_s, row_s)
    return seen_s(log) if seen_s(log) <= limits.SLOWEST_PERIOD_S else row_s


def notice(name: str, log: Log, stated_s: float | None) -> str:
    """Return one sentence on the update period of a log, or nothing where the stated one holds."""
    step_s = seen_s(log)
    if not step_s:
        return ""
    said = f"{name}: the log has a new value every {step_s:.3g} s"
    if stated_s is not None:
        return f"{said}, but {stated_s:g} s is stated as its update period" if step_s > NOTED_FRAC * stated_s else ""
    if step_s > limits.SLOWEST_PERIOD_S:
        return f"{said}; in a window, more than {limits.SLOWEST_PERIOD_S:g} s is too slow to measure energy"
    return f"{said}, which counts as its update period (`trace:FILE,period=SECONDS` states another)"
