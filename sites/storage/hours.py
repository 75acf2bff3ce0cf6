"""The steps of a site with a battery or start costs, as plain arrays, and what is done in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.storage.terms import Battery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats, Integers
    from sites.storage.terms import StartTerms

NO_BATTERY = Battery(0.0, 0.0, 1.0, 1.0, min_frac=0.0, max_frac=1.0, start_frac=0.0, end_frac=0.0)
TRANCHES = 3  # of power at the meter: drawn back from the export, bought within the contract, bought beyond it


class Steps(NamedTuple):
    """The T steps, P parts and U blocks with start costs (units) of one site; powers and prices are at the meter.

    A part is worth a price for each MWh. A tranche is power at a price. Power that is not bought is a use of power
    like a part, worth the price of its tranche: so a step is one fractional knapsack, whose size the battery changes.
    Power that is not bought in the first tranche is exported.
    """

    worth: Floats  # [USD/MWh] of each part, shape [P, T]
    cap_mw: Floats  # [MW] shape [P, T]; of a unit's parts what is beyond its base
    unit: Integers  # unit of each part, -1 for none, shape [P]
    must_mw: Floats  # [MW] drawn whatever it costs, within the limit, shape [T]
    price: Floats  # [USD/MWh] of each tranche, rising, shape [3, T]
    room_mw: Floats  # [MW] of each tranche, shape [3, T]
    base_mw: Floats  # [MW] that each unit draws while it is on, shape [U, T]
    base_worth: Floats  # [USD/MWh] of that power, shape [U, T]
    up: Integers  # least steps on, shape [U]
    down: Integers  # least steps off, shape [U]
    lost_frac: Floats  # share of the output that is lost in each step after a start, shape [U, W]
    start_usd: Floats  # [USD] shape [U]
    month: Integers  # billing month of each step, shape [T]
    charges_usd_per_mw: Floats  # [USD/MW] demand charge of each month, shape [M]
    day: Integers  # local day of each step, counted from 0, shape [T]
    step_h: float  # [h]

    @property
    def has_units(self) -> bool:
        """Whether a block has start costs."""
        return len(self.base_mw) > 0

    @property
    def wakes(self) -> Floats:
        """Cost of a start in each step, with the output that is lost while waking up [USD], shape [U, T]."""
        cost = np.repeat(self.start_usd[:, None], self.month.size, axis=1)
        earned = self.base_mw * self.base_worth * self.step_h
        for j in range(self.lost_frac.shape[1]):
            cost[:, : self.month.size - j] += self.lost_frac[:, j, None] * earned[:, j:]
        return cost


@dataclass(frozen=True, slots=True)
class Stored:
    """What a battery and the units do in each step, and how well that is known to be best."""

    charge_mw: Floats  # [MW meter] shape [T]
    discharge_mw: Floats  # [MW meter] shape [T]
    state_mwh: Floats  # in the cells, at the end of each step, shape [T]
    on: Integers  # 1 where a unit is on, shape [U, T]
    value_usd: float  # [USD] worth of all parts less power, degradation, starts and demand charges
    gap_frac: float  # that the method leaves between this value and the best one, over the value
    method: str  # in words
    peaks_mw: Floats  # [MW meter] that the draw of each month stays within, shape [M]

    @property
    def net_mw(self) -> Floats:
        """Net power that the battery draws [MW meter], shape [T]."""
        net: Floats = self.charge_mw - self.discharge_mw
        return net


def start_arrays(terms: Sequence[StartTerms], step_h: float) -> tuple[Integers, Integers, Floats, Floats]:
    """Return `up`, `down`, `lost_frac` and `start_usd` of Steps for the terms of units."""
    each = [term.in_steps(step_h) for term in terms]
    lost = np.zeros((len(terms), max((len(shares) for _, _, shares in each), default=0)))
    for row, (_, _, shares) in zip(lost, each, strict=True):
        row[: len(shares)] = shares
    return (
        np.array([up for up, _, _ in each], np.int64),
        np.array([down for _, down, _ in each], np.int64),
        lost,
        np.array([term.start_usd for term in terms], np.float64),
    )


def started(on: Integers) -> Integers:
    """Return 1 in each step in which a unit starts; the year's first step starts nothing, shape [U, T]."""
    starts: Integers = np.zeros_like(on)
    starts[:, 1:] = (on[:, 1:] > on[:, :-1]).astype(on.dtype)
    return starts


def lost_shares(steps: Steps, on: Integers) -> Floats:
    """Return the share of each unit's output that is lost in each step because it wakes up, shape [U, T]."""
    starts, lost = started(on), np.zeros(on.shape)
    for j in range(steps.lost_frac.shape[1]):
        lost[:, j:] += steps.lost_frac[:, j, None] * starts[:, : on.shape[1] - j]
    return lost


def fill(steps: Steps, net_mw: Floats, on: Integers) -> tuple[Floats, Floats]:
    """Return what each part draws beyond a unit's base, and what is bought in each tranche, for a plan that is fixed.

    Returns
    -------
    drawn
        [MW meter], shape [P, T].
    bought
        [MW meter], shape [3, T].
    """
    lost = lost_shares(steps, on)
    caps = steps.cap_mw.copy()
    for p, u in enumerate(steps.unit):
        if u >= 0:
            caps[p] *= on[u] * (1.0 - lost[u])
    width = np.concatenate([caps, steps.room_mw])
    worth = np.concatenate([steps.worth, steps.price])
    size = steps.room_mw[1:].sum(axis=0) - steps.must_mw - (steps.base_mw * on).sum(axis=0) - net_mw
    order = np.argsort(-worth, axis=0, kind="stable")
    ranked = np.take_along_axis(width, order, axis=0)
    before = np.cumsum(ranked, axis=0) - ranked
    used = np.empty_like(width)
    np.put_along_axis(used, order, np.clip(size - before, 0.0, ranked), axis=0)
    count = steps.cap_mw.shape[0]
    return used[:count], steps.room_mw - used[count:]


def value_usd(steps: Steps, battery: Battery, charge_mw: Floats, discharge_mw: Floats, on: Integers) -> float:
    """Return the worth of all parts less power, degradation, starts and demand charges [USD]."""
    drawn, bought = fill(steps, charge_mw - discharge_mw, on)
    gross = (drawn * steps.worth).sum() + (on * steps.base_mw * steps.base_worth).sum()
    power = (bought * steps.price).sum() - (steps.room_mw[0] * steps.price[0]).sum()
    wear = battery.wear_usd_per_mwh * discharge_mw.sum()
    charge = peaks_mw(steps, bought) @ steps.charges_usd_per_mw
    return float((gross - power - wear) * steps.step_h - (started(on) * steps.wakes).sum() - charge)


def within_peaks(steps: Steps, peaks: Floats) -> Steps:
    """Return steps in which no more power can be bought than each month's peak [MW meter], shape [M]."""
    if not np.isfinite(peaks).any():
        return steps
    cap, room = peaks[steps.month], steps.room_mw.copy()
    room[1] = np.minimum(room[1], cap)
    room[2] = np.minimum(room[2], np.maximum(cap - room[1], 0.0))
    return steps._replace(room_mw=room)


def peaks_mw(steps: Steps, bought: Floats) -> Floats:
    """Return the highest draw of each month [MW meter], shape [M]."""
    peaks = np.zeros(steps.charges_usd_per_mw.size)
    np.maximum.at(peaks, steps.month, bought.sum(axis=0) - steps.room_mw[0])
    return peaks
