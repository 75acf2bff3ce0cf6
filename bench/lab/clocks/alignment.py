"""Two hosts' clocks against each other during a run, from one look at both before it and one after it.

At each look the controller knows the offset of both monotonic clocks from its own, so it knows their difference.
Between the looks the difference is taken to change evenly. What that leaves open is in the bound: their own bounds,
the change while a run is placed by one number, and an uneven part that grows with the time to the nearer look.
"""

from typing import NamedTuple

from pydantic import FiniteFloat

from bench import limits
from bench.lab.clocks.offset import ClockOffset
from bench.results.part import NonNegative, Part


class ClockRefusedError(Exception):
    """Two clocks cannot be aligned; `code` is the reason code and `str()` the detail."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Look(NamedTuple):
    """The clocks of two hosts, looked at one after the other."""

    measuring: ClockOffset  # of the host that did the work
    reading: ClockOffset  # of the host that read the meter


class Alignment(Part):
    """The reading host's monotonic clock minus the measuring host's, over the windows of a run."""

    shift_s: FiniteFloat  # [s] in the middle of the span
    bound_s: NonNegative  # [s] the true difference is within this of it all the time
    drift_s: FiniteFloat  # [s] by which it changed from the first look to the second
    rate_frac: NonNegative  # [-] by which the two clocks may run apart within a window
    looks_s: NonNegative  # [s] from the first look to the second, on the clock of the measuring host


def align(before: Look, after: Look, first_s: float, last_s: float) -> Alignment:
    """Return how the clocks of two hosts lie to each other from one moment of a run to another.

    Parameters
    ----------
    before, after
        Both clocks before the start of the run and after its end.
    first_s, last_s
        The span of the run [s, monotonic clock of the measuring host].

    Raises
    ------
    ClockRefusedError
        A host was booted in between, a look is missing its place (the span is not between them), or the clocks moved
        against each other by more than clocks do.
    """
    for host in ("measuring", "reading"):
        if getattr(before, host).boot_id != getattr(after, host).boot_id:
            raise ClockRefusedError("clock_drifted", f"the {host} host was booted between the two looks at its clock")
    (start_s, shift_0_s, bound_0_s), (end_s, shift_1_s, bound_1_s) = _difference(before), _difference(after)
    looks_s = end_s - start_s
    slack_s = max(before.measuring.monotonic_bound_s, after.measuring.monotonic_bound_s)
    if looks_s <= 0.0 or first_s < start_s - slack_s or last_s > end_s + slack_s:
        raise ClockRefusedError("clock_uncertain", "the clocks were not looked at before and after the run")
    drift_s, bound_s = shift_1_s - shift_0_s, max(bound_0_s, bound_1_s)
    if abs(drift_s) - bound_0_s - bound_1_s > limits.CLOCK_RATE_FRAC * looks_s:
        detail = f"their difference changed by {drift_s:+.3g} s in {looks_s:.0f} s"
        raise ClockRefusedError("clock_drifted", detail)
    middle_s, half_s = (first_s + last_s) / 2.0, (last_s - first_s) / 2.0
    nearer_s = max(min(moment - start_s, end_s - moment) for moment in _worst(first_s, last_s, start_s, end_s))
    slope = drift_s / looks_s
    return Alignment(
        shift_s=shift_0_s + slope * (middle_s - start_s),
        bound_s=bound_s + abs(slope) * half_s + limits.CLOCK_WANDER_FRAC * max(nearer_s, 0.0),
        drift_s=drift_s,
        rate_frac=min(
            limits.CLOCK_RATE_FRAC, (abs(drift_s) + bound_0_s + bound_1_s) / looks_s + limits.CLOCK_WANDER_FRAC
        ),
        looks_s=looks_s,
    )


def _worst(first_s: float, last_s: float, start_s: float, end_s: float) -> tuple[float, ...]:
    """Return the moments of a span; one of them is the farthest from both looks."""
    return first_s, last_s, min(max((start_s + end_s) / 2.0, first_s), last_s)


def _difference(look: Look) -> tuple[float, float, float]:
    """Return the moment of a look [s, clock of the measuring host], the difference of the clocks and its bound [s].

    Raises
    ------
    ClockRefusedError
        The controller was booted between the two.
    """
    measuring, reading = look
    if measuring.controller_boot_id != reading.controller_boot_id:
        raise ClockRefusedError("clock_uncertain", "the controller was booted between its looks at the two clocks")
    apart_s = abs(measuring.taken_s - reading.taken_s)
    bound_s = measuring.monotonic_bound_s + reading.monotonic_bound_s + limits.CLOCK_RATE_FRAC * apart_s
    return measuring.taken_s + measuring.monotonic_s, reading.monotonic_s - measuring.monotonic_s, bound_s
