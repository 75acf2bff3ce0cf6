"""The exact dispatch of a battery and units by value functions, where nothing but their states couples the steps."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sites.storage.hours import Stored, value_usd

if TYPE_CHECKING:
    from sites.arrays import Floats, Integers
    from sites.storage.hours import Steps
    from sites.storage.terms import Battery

STATES = 512  # of all units together, up to which the value functions are quick
HOURS = 24.0  # [h] of full power in the battery, up to which the value functions have few corners
BLOCK = 128  # steps whose functions are in memory at a time
CORNERS = 64  # of a value function, at first


class States(NamedTuple):
    """The states of all units together: how long each is on or off, as far as that makes a difference."""

    combo: Integers  # what each state does: a row of the next two, shape [S]
    on: Integers  # 1 where a unit is on, shape [C, U]
    scale: Floats  # share of each unit's parts that may run, shape [C, U]
    targets: Integers  # states that may follow, -1 for none; the first keeps all units as they are, shape [S, 2^U]
    starting: Integers  # 1 where a unit starts with it, shape [S, 2^U, U]
    wakes: Floats  # cost of a start in each step [USD], shape [U, T]
    base_mw: Floats  # as Steps, shape [U, T]
    spent: Floats  # price of all power as if it were bought whole [USD/h], shape [T]
    earned: Floats  # by the base power of each unit [USD], shape [U, T]


def fits(steps: Steps, battery: Battery) -> bool:
    """Return whether only the states of battery and units couple the steps, and these states are few."""
    free = not (steps.charges_usd_per_mw > 0.0).any() and not np.isfinite(battery.cycles_per_day)
    return free and count(steps) <= STATES and battery.hours <= HOURS


def _ages(steps: Steps, u: int) -> tuple[int, int]:
    """Return the number of states of a unit that is on, and of one that is off."""
    waking = int(np.count_nonzero(steps.lost_frac[u]))
    return max(int(steps.up[u]), waking + 1), int(steps.down[u])


def count(steps: Steps) -> int:
    """Return the number of states of all units together."""
    return int(np.prod([sum(_ages(steps, u)) for u in range(steps.base_mw.shape[0])]))


def _states(steps: Steps) -> States:
    units = range(steps.base_mw.shape[0])
    ages = [_ages(steps, u) for u in units]
    every = list(product(*(range(sum(age)) for age in ages)))
    number = {state: index for index, state in enumerate(every)}
    waking = [int(np.count_nonzero(steps.lost_frac[u])) for u in units]

    def does(state: tuple[int, ...]) -> tuple[tuple[int, float], ...]:
        return tuple(
            (1, 1.0 - (steps.lost_frac[u, k] if k < waking[u] else 0.0)) if k < ages[u][0] else (0, 0.0)
            for u, k in enumerate(state)
        )

    combos = list(dict.fromkeys(does(state) for state in every))
    targets = np.full((len(every), 2 ** len(ages)), -1, np.int64)
    starting = np.zeros((len(every), 2 ** len(ages), len(ages)), np.int64)
    for index, state in enumerate(every):
        for m, switch in enumerate(product((False, True), repeat=len(ages))):
            after = [_after(k, int(steps.up[u]), *ages[u], switch=switch[u]) for u, k in enumerate(state)]
            if None not in after:
                targets[index, m] = number[tuple(k for k in after if k is not None)]
                starting[index, m] = [switch[u] and k >= ages[u][0] for u, k in enumerate(state)]
    shape = (len(combos), len(ages))
    return States(
        combo=np.array([combos.index(does(state)) for state in every]),
        on=np.array([[on for on, _ in combo] for combo in combos], np.int64).reshape(shape),
        scale=np.array([[share for _, share in combo] for combo in combos], np.float64).reshape(shape),
        targets=targets,
        starting=starting,
        wakes=steps.wakes,
        base_mw=steps.base_mw,
        spent=(steps.room_mw[1:] * steps.price[1:]).sum(axis=0),
        earned=steps.base_mw * steps.base_worth * steps.step_h,
    )


def _after(k: int, up: int, on_ages: int, off_ages: int, *, switch: bool) -> int | None:
    """Return the state of a unit that follows state k; None if it may not switch yet."""
    is_on = k < on_ages
    if not switch:
        return min(k + 1, on_ages - 1) if is_on else min(k + 1, on_ages + off_ages - 1)
    if is_on:
        return on_ages if k >= up - 1 else None
    return 0 if k == on_ages + off_ages - 1 else None


def solve(steps: Steps, battery: Battery) -> Stored:
    """Return a plan of a battery and units, which is the best one where `fits` says so.

    Elsewhere it is a lower bound: a limit of cycles is kept day by day without foresight, and a demand charge must be
    put into the room of the tranches by the caller.
    """
    from sites.storage.kernels.corners import value_at
    from sites.storage.kernels.joint import forward_steps

    problem = _problem(steps, battery)
    begins = range(0, steps.month.size, BLOCK)
    corners = CORNERS
    while (functions := _Functions.back(problem, corners)) is None:
        corners *= 2
    first = problem.limits[2]
    settled = [s for s in range(count(steps)) if _is_settled(steps, s)]
    values = [value_at(first, *functions.of(0, s)) for s in settled]
    place = (settled[int(np.argmax(values))], first, 0.0)
    hours = steps.month.size
    net, state = np.empty(hours), np.empty(hours)
    on = np.zeros((steps.base_mw.shape[0], hours), np.int64)
    most = battery.cycles_per_day * battery.energy_mwh
    for index, begin in enumerate(begins):
        functions.load(problem, index)
        place = forward_steps(
            begin, min(begin + BLOCK, hours), *problem, steps.day, most, *functions.block, place, net, state, on
        )
    charge, discharge = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    value = value_usd(steps, battery, charge, discharge, on)
    method = "exact value functions of the stored energy" if battery.power_mw > 0.0 else "exact dynamic programming"
    peaks = np.full(steps.charges_usd_per_mw.size, np.inf)
    return Stored(charge, discharge, state, on, value, 0.0, method, peaks)


class _Problem(NamedTuple):
    """What the compiled loops take."""

    uses: tuple[Floats, Floats, Integers, Integers]  # width, worth, rank and unit of the uses of power
    states: tuple[Any, ...]  # the fields of States
    size: Floats  # power that the uses take together with all units off [MW], shape [T]
    terms: tuple[float, float, float, float]  # power, shares kept in charging and discharging, degradation
    limits: tuple[float, float, float, float]  # least, most, first and last stored energy [MWh]
    step_h: float


def _problem(steps: Steps, battery: Battery) -> _Problem:
    worth = np.concatenate([steps.worth, steps.price])
    order = np.argsort(-worth, axis=0, kind="stable")
    unit = np.concatenate([steps.unit, np.full(len(steps.room_mw), -1)]).astype(np.int64)
    least, full, first, last = (
        frac * battery.energy_mwh for frac in (battery.min_frac, battery.max_frac, battery.start_frac, battery.end_frac)
    )
    return _Problem(
        uses=(np.concatenate([steps.cap_mw, steps.room_mw]), worth, order, unit),
        states=tuple(_states(steps)),
        size=steps.room_mw[1:].sum(axis=0) - steps.must_mw,
        terms=(battery.power_mw, battery.charge_frac, battery.discharge_frac, battery.wear_usd_per_mwh),
        limits=(least, full, first, last),
        step_h=float(steps.step_h),
    )


class _Functions:
    """The value functions of a problem: those between blocks of steps, and all of one block."""

    def __init__(self, blocks: int, states: int, corners: int) -> None:
        self._between = np.empty((2, blocks + 1, states, corners))
        self._held = np.zeros((blocks + 1, states), np.int64)
        self.block = (
            np.empty((BLOCK + 1, states, corners)),
            np.empty((BLOCK + 1, states, corners)),
            np.zeros((BLOCK + 1, states), np.int64),
        )

    @classmethod
    def back(cls, problem: _Problem, corners: int) -> _Functions | None:
        """Return the functions of all steps; None if one has more corners than that."""
        from sites.storage.kernels.joint import last_values

        blocks = -(-problem.size.size // BLOCK)
        functions = cls(blocks, problem.states[0].size, corners)
        last_values(problem.limits, *functions._between[:, -1], functions._held[-1])
        if all(functions.load(problem, index) for index in reversed(range(blocks))):
            return functions
        return None

    def load(self, problem: _Problem, index: int) -> bool:
        """Compute the functions of a block from those after it; return False if one has too many corners."""
        from sites.storage.kernels.joint import back_steps

        begin, end = index * BLOCK, min((index + 1) * BLOCK, problem.size.size)
        xs, vs, counts = self.block
        xs[end - begin], vs[end - begin] = self._between[:, index + 1]
        counts[end - begin] = self._held[index + 1]
        done: bool = back_steps(begin, end, *problem, xs, vs, counts)
        self._between[0, index], self._between[1, index], self._held[index] = xs[0], vs[0], counts[0]
        return done

    def of(self, index: int, state: int) -> tuple[Floats, Floats, int]:
        """Return corners and their number of the function of a state before a block."""
        return self._between[0, index, state], self._between[1, index, state], int(self._held[index, state])


def _is_settled(steps: Steps, s: int) -> bool:
    """Return whether each unit may switch at once in state s, as at the start of the year."""
    for u in reversed(range(steps.base_mw.shape[0])):
        on_ages, off_ages = _ages(steps, u)
        s, k = divmod(s, on_ages + off_ages)
        if k not in {on_ages - 1, on_ages + off_ages - 1}:
            return False
    return True
