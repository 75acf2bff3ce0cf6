"""Plans of a measurement: number and length of the windows, and the load and idle time around them (rules 2, 3, 9)."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench import limits
from bench.meters.pace import stated_s, watch
from bench.meters.protocol import Meter, MeterInfo, MeterKind, MeterOptions, NoticeMeter
from bench.meters.registry import metering
from hardware_profiles.errors import InputError, near_names

DEFAULT_PLAN = "quick"


@dataclass(frozen=True, slots=True)
class Plan:
    """The requirements of a plan."""

    name: str
    floor_s: float  # [s] shortest window with a meter
    rate_floor_s: float  # [s] shortest window without a meter
    windows: int  # number of windows
    target_error_frac: float  # [-] largest relative error that the sampling of a window may add
    idle_before_s: float  # [s] shortest idle measurement before the windows; 0 for none
    idle_after_s: float  # [s] the same after the windows
    comparable: bool = True  # whether its results may be compared
    floor_why: str = ""  # what set the floor, where it is not the plan itself


PLANS = {
    "smoke": Plan("smoke", 0.0, 0.2, 2, 0.02, 0.0, 0.0, comparable=False),
    "quick": Plan("quick", 20.0, 1.0, 3, 0.01, 10.0, 0.0),
    "publish": Plan("publish", 60.0, 60.0, 5, 0.005, 30.0, 30.0),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a plan for the meters of one run [s]."""

    plan: Plan
    windows: int  # number of windows
    window_s: float
    lead_s: float
    tail_s: float
    idle_before_s: float
    idle_after_s: float
    why: str  # which requirement set the length of the window

    @property
    def total_s(self) -> float:
        """Time of the whole measurement without calibration [s]."""
        return self.idle_before_s + self.lead_s + self.windows * self.window_s + self.tail_s + self.idle_after_s


def get_plan(name: str) -> Plan:
    """Return a plan by name.

    Raises
    ------
    InputError
        No plan of this name.
    """
    try:
        return PLANS[name]
    except KeyError:
        raise InputError.at(
            "--plan", expected=f"one of {', '.join(PLANS)}", got=name, near=near_names(name, PLANS)
        ) from None


def schedule(plan: Plan, meters: Sequence[MeterInfo] = ()) -> Schedule:
    """Return the times of a plan for the meters of a run; a declared power adds no requirement.

    Parameters
    ----------
    plan
        The plan.
    meters
        Descriptions of the run's meters.

    Notes
    -----
    Rule 2: a window lasts max(floor of the plan, 100 update periods, time for the target error). Rule 3: the load runs
    from max(2 s, 3 A) before the first window until A after the last, where A is the meter's averaging time.
    """
    metering = [info for info in meters if info.kind is not MeterKind.DECLARED]
    if not metering:
        # A log may be joined to long unmetered windows later, so the load runs on both sides of them too.
        around_s = limits.LEAD_FLOOR_S if plan.rate_floor_s >= limits.LOG_JOIN_WINDOW_S else 0.0
        why = plan.floor_why or "no meter: rates only"
        return Schedule(plan, plan.windows, plan.rate_floor_s, around_s, around_s, 0.0, 0.0, why)
    choices = [(plan.floor_s, plan.floor_why or f"floor of the plan {plan.name}")]
    for info in metering:
        periods = limits.PERIODS_PER_WINDOW
        choices.append((periods * info.period_s, f"{periods} periods of {info.name}"))
        choices.append((_error_s(info, plan.target_error_frac), f"target error of {info.name}"))
    window_s, why = max(choices, key=lambda choice: choice[0])
    window_s = max(window_s, plan.rate_floor_s)
    averaging_s = max(averaging_time_s(info) for info in metering)
    idle_s = max(limits.IDLE_PERIODS * info.period_s for info in metering)
    return Schedule(
        plan=plan,
        windows=plan.windows,
        window_s=window_s,
        lead_s=lead_time_s(averaging_s),
        tail_s=averaging_s,
        idle_before_s=max(plan.idle_before_s, idle_s) if plan.idle_before_s else 0.0,
        idle_after_s=max(plan.idle_after_s, idle_s) if plan.idle_after_s else 0.0,
        why=why,
    )


@contextmanager
def paced(
    plan: Plan, specs: Sequence[str], options: MeterOptions, on_notice: Callable[[str], None]
) -> Iterator[list[Meter]]:
    """Open the meters of a run, learn how often they update, and close them in every ending.

    Parameters
    ----------
    plan
        The plan of the run.
    specs, options
        As for `open_meters`.
    on_notice
        Is called with each sentence that a user should read: what the meters have to say, and which windows are longer
        because a meter is slower than stated.

    Raises
    ------
    InputError, MeterError
        See `open_meters`; or a meter updates too seldom for any energy.
    """
    with metering(specs, options) as meters:
        for meter in meters:
            if isinstance(meter, NoticeMeter) and meter.notice:
                on_notice(meter.notice)
        before = [meter.info for meter in meters]
        watch(meters, on_notice)
        for line in lengthened(plan, before, [meter.info for meter in meters]):
            on_notice(line)
        yield meters


def lengthened(plan: Plan, before: Sequence[MeterInfo], after: Sequence[MeterInfo]) -> list[str]:
    """Return which meters turned out to be slower than stated, and how long the windows are for them."""
    slower = [(old, new) for old, new in zip(before, after, strict=True) if new.period_s > old.period_s]
    was_s, is_s = schedule(plan, before).window_s, schedule(plan, after).window_s
    return [
        f"windows of {is_s:g} s instead of {was_s:g} s, because {new.name} updates every {new.period_s:g} s, not every "
        f"{stated_s(old):g} s"
        for old, new in slower
    ]


def averaging_time_s(info: MeterInfo) -> float:
    """Return the time over which one sample of a meter averages [s], at least its update period."""
    return max(info.averaging_s, info.period_s)


def lead_time_s(averaging_s: float) -> float:
    """Return how long the load must run before the first window [s] (method rule 3)."""
    return max(limits.LEAD_FLOOR_S, limits.LEAD_AVERAGING_TIMES * averaging_s)


def _error_s(info: MeterInfo, target_frac: float) -> float:
    """Return the length of window [s] in which the meter's sampling adds a relative error of at most `target_frac`.

    Notes
    -----
    A counter is wrong by a uniformly distributed part of one period at each edge, √(2/12)·T in total. Samples of a
    power meter scatter by about 5 % of the power; the mean of n samples scatters by 1/√n of it.
    """
    if info.kind is MeterKind.POWER:
        return info.period_s * (limits.SAMPLE_SD_FRAC / target_frac) ** 2
    return math.sqrt(2.0 / 12.0) * info.period_s / target_frac
