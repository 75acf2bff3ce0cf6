"""The dispatch of a battery and units: the best plan, and a quick one for scenarios."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.storage import joint, milp
from sites.storage.hours import fill, peaks_mw, within_peaks

NEAR_FRAC = 1e-5  # gap from which the quick plan is tried as well

if TYPE_CHECKING:
    from sites.storage.hours import Steps, Stored
    from sites.storage.terms import Battery


def best(steps: Steps, battery: Battery) -> Stored:
    """Return the best plan: by value functions; by HiGHS where a demand charge or a limit of cycles couples steps.

    HiGHS also takes a battery of more than a day of full power, whose value functions have too many corners.

    Where HiGHS ends at its time limit and the quick plan earns more, it is that plan, with the gap to HiGHS's bound.
    """
    if joint.fits(steps, battery):
        return joint.solve(steps, battery)
    solved = milp.solve(steps, battery)
    if solved.gap_frac <= NEAR_FRAC or joint.count(steps) > joint.STATES or battery.hours > joint.HOURS:
        return solved
    fast = quick(steps, battery)
    if fast.value_usd <= solved.value_usd:
        return solved
    bound_usd = solved.value_usd + solved.gap_frac * abs(solved.value_usd)
    gap_frac = max(bound_usd - fast.value_usd, 0.0) / abs(fast.value_usd)
    return replace(fast, gap_frac=gap_frac, method=f"{fast.method}; bound by HiGHS")


def quick(steps: Steps, battery: Battery) -> Stored:
    """Return a plan in milliseconds: the best one where `joint.fits` says so, else one that keeps all limits.

    With a demand charge, the draw of each month stays within what it would be with all units on and no battery.

    Raises
    ------
    InputError
        The units have too many states, or the battery holds too many hours.
    """
    if battery.hours > joint.HOURS:
        expected = f"at most {joint.HOURS:g} hours of its full power"
        raise InputError.at("scenarios: battery", expected=expected, got=f"{battery.hours:g} hours")
    if joint.fits(steps, battery):
        return joint.solve(steps, battery)
    if joint.count(steps) > joint.STATES:
        raise InputError.at(
            "scenarios: start costs",
            expected=f"at most {joint.STATES} states (steps up and down, multiplied over the blocks)",
            got=joint.count(steps),
        )
    on = np.ones((steps.base_mw.shape[0], steps.month.size), np.int64)
    _, bought = fill(steps, np.zeros(steps.month.size), on)
    peaks = np.where(steps.charges_usd_per_mw > 0.0, peaks_mw(steps, bought), np.inf)
    done = joint.solve(within_peaks(steps, peaks), battery)
    method = "value functions, limits kept without foresight"
    return replace(done, gap_frac=np.nan, method=method, peaks_mw=peaks)
