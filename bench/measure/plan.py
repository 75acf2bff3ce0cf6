"""Plans: how many windows, how long, and with what load and idle around them (method rules 2, 3 and 9)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.meters.protocol import MeterInfo, MeterKind
from hardware_profiles.errors import InputError, near_names

PERIODS_PER_WINDOW = 100
SAMPLE_SD_FRAC = 0.05
LEAD_FLOOR_S = 2.0
ATTACHABLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan asks for.

    Attributes
    ----------
    floor_s, rate_floor_s
        Shortest window [s] with a meter, and without one.
    windows
        Number of windows.
    target_error_frac
        Largest relative error [-] that the sampling of a window may add.
    idle_before_s, idle_after_s
        Shortest idle measurement [s]; 0 takes none.
    comparable
        Whether its results may be compared.
    """

    name: str
    floor_s: float
    rate_floor_s: float
    windows: int
    target_error_frac: float
    idle_before_s: float
    idle_after_s: float
    comparable: bool = True


PLANS = {
    "smoke": Plan("smoke", 0.0, 0.2, 2, 0.02, 0.0, 0.0, comparable=False),
    "quick": Plan("quick", 20.0, 1.0, 3, 0.01, 10.0, 0.0),
    "publish": Plan("publish", 60.0, 60.0, 5, 0.005, 30.0, 30.0),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A plan made into times for the meters at hand [s]; `why` names what set the window's length."""

    plan: Plan
    windows: int
    window_s: float
    lead_s: float
    tail_s: float
    idle_before_s: float
    idle_after_s: float
    why: str

    @property
    def total_s(self) -> float:
        """Time that the whole measurement takes [s], calibration aside."""
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


def schedule(plan: Plan, meters: Sequence[MeterInfo] = (), expected_power_w: float | None = None) -> Schedule:
    """Return the times of a plan for these meters; declared power asks for nothing.

    `expected_power_w` [W] lets a counter with coarse steps ask for windows that hold enough of them.

    Notes
    -----
    Method rule 2: window = max(floor of the plan, 100 update periods, what the wanted error needs). Rule 3:
    load from max(2 s, 3 A) before the first window until A after the last.
    """
    metering = [info for info in meters if info.kind is not MeterKind.DECLARED]
    if not metering:
        # Long windows without a meter may get a log attached later, so they too keep the load on both sides.
        around_s = LEAD_FLOOR_S if plan.rate_floor_s >= ATTACHABLE_S else 0.0
        return Schedule(plan, plan.windows, plan.rate_floor_s, around_s, around_s, 0.0, 0.0, "no meter: rates only")
    choices = [(plan.floor_s, f"floor of the plan {plan.name}")]
    for info in metering:
        choices.append((PERIODS_PER_WINDOW * info.period_s, f"{PERIODS_PER_WINDOW} periods of {info.name}"))
        choices.append((_error_s(info, plan.target_error_frac, expected_power_w), f"wanted error on {info.name}"))
    window_s, why = max(choices, key=lambda choice: choice[0])
    window_s = max(window_s, plan.rate_floor_s)
    averaging_s = max(_averaging_s(info) for info in metering)
    idle_s = max(60.0 * info.period_s for info in metering)
    return Schedule(
        plan=plan,
        windows=plan.windows,
        window_s=window_s,
        lead_s=max(LEAD_FLOOR_S, 3.0 * averaging_s),
        tail_s=averaging_s,
        idle_before_s=max(plan.idle_before_s, idle_s) if plan.idle_before_s else 0.0,
        idle_after_s=max(plan.idle_after_s, idle_s) if plan.idle_after_s else 0.0,
        why=why,
    )


def _averaging_s(info: MeterInfo) -> float:
    return max(info.averaging_s, info.period_s)


def _error_s(info: MeterInfo, target_frac: float, expected_power_w: float | None) -> float:
    """Return the window [s] in which the meter's sampling adds at most `target_frac`.

    A counter is off by a rectangular part of one period at each edge, √(2/12)·T, and by its step. Samples of
    a power meter scatter by some 5 % of the power, and n of them average it down by √n.
    """
    if info.kind is MeterKind.POWER:
        return info.period_s * (SAMPLE_SD_FRAC / target_frac) ** 2
    edge_s = math.sqrt(2.0 / 12.0) * info.period_s / target_frac
    if info.resolution_j and expected_power_w:
        return max(edge_s, info.resolution_j / (expected_power_w * target_frac))
    return edge_s
