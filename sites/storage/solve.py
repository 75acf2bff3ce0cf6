"""The dispatch of a battery and units: the best plan, and a quick one for scenarios."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.storage import joint, milp
from sites.storage.hours import fill, peaks_mw, value_usd

if TYPE_CHECKING:
    from sites.storage.hours import Steps, Stored
    from sites.storage.terms import Battery


def best(steps: Steps, battery: Battery) -> Stored:
    """Return the best plan: by value functions; by HiGHS where a demand charge or a limit of cycles couples steps."""
    return joint.solve(steps, battery) if joint.fits(steps, battery) else milp.solve(steps, battery)


def quick(steps: Steps, battery: Battery) -> Stored:
    """Return a plan in milliseconds: the best one where `joint.fits` says so, else one that keeps all limits.

    With a demand charge, the draw of each month stays within what it would be with all units on and no battery.

    Raises
    ------
    InputError
        The units have too many states.
    """
    if joint.fits(steps, battery):
        return joint.solve(steps, battery)
    if joint.count(steps) > joint.STATES:
        raise InputError.at(
            "scenarios: start costs",
            expected=f"at most {joint.STATES} states (steps up and down, multiplied over the blocks)",
            got=joint.count(steps),
        )
    done = joint.solve(_capped(steps), battery)
    value = value_usd(steps, battery, done.charge_mw, done.discharge_mw, done.on)
    return replace(done, value_usd=value, gap_frac=np.nan, method="value functions, limits kept without foresight")


def _capped(steps: Steps) -> Steps:
    """Return steps whose power is limited by each month's peak without battery, where a demand charge is due."""
    if not (steps.charges_usd_per_mw > 0.0).any():
        return steps
    hours = steps.month.size
    _, bought = fill(steps, np.zeros(hours), np.ones((steps.base_mw.shape[0], hours), np.int64))
    cap = np.where(steps.charges_usd_per_mw > 0.0, peaks_mw(steps, bought), np.inf)[steps.month]
    room = steps.room_mw.copy()
    room[1] = np.minimum(room[1], cap)
    room[2] = np.minimum(room[2], np.maximum(cap - room[1], 0.0))
    return steps._replace(room_mw=room)
