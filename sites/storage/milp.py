"""The exact dispatch of a battery and of units with start costs: a mixed-integer programme, solved by HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.storage.hours import Stored, value_usd, within_peaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sites.arrays import Floats, Integers
    from sites.storage.hours import Steps
    from sites.storage.terms import Battery

GAP_FRAC = 1e-7  # between the best plan and its bound, at which HiGHS stops
TIME_LIMIT_S = 60.0
_SMALL_MW = 1e-9
_ROUNDING = 1e-12  # relative, of a peak


class _Rows:
    """The rows of a sparse matrix with their bounds, collected in pieces."""

    def __init__(self) -> None:
        self.count = 0
        self._entries: list[tuple[Integers, Integers, Floats]] = []
        self._bounds: list[tuple[Floats, Floats]] = []

    def add(self, low: Floats, high: Floats) -> Integers:
        """Add rows with these bounds; return their numbers."""
        rows: Integers = self.count + np.arange(low.size)
        self.count += low.size
        self._bounds.append((low, high))
        return rows

    def put(self, rows: Integers, columns: Integers, values: Floats | float) -> None:
        """Enter values; a column below 0 is none."""
        there = columns >= 0
        filled: Floats = np.broadcast_to(np.asarray(values, np.float64), rows.shape)
        self._entries.append((rows[there], columns[there], filled[there]))

    def built(self, width: int) -> tuple[object, Floats, Floats]:
        """Return the matrix, and the bounds of its rows."""
        from scipy.sparse import coo_array

        rows, columns, values = (np.concatenate([entry[i] for entry in self._entries]) for i in range(3))
        low, high = (np.concatenate([bound[i] for bound in self._bounds]) for i in range(2))
        return coo_array((values, (rows, columns)), shape=(self.count, width)).tocsr(), low, high


class _Columns:
    """The columns of a programme: cost, bounds, and whether they are whole numbers."""

    def __init__(self) -> None:
        self.count = 0
        self._cost: list[Floats] = []
        self._high: list[Floats] = []
        self._whole: list[Integers] = []
        self._low: list[Floats] = []

    def add(
        self,
        cost: Floats,
        high: Floats | float,
        *,
        low: Floats | float = 0.0,
        whole: bool = False,
        where: object = True,
    ) -> Integers:
        """Add a column for each entry of `cost` in which `where` is true; return their numbers, elsewhere -1."""
        there: NDArray[np.bool_] = np.broadcast_to(np.asarray(where, bool), cost.shape)
        numbers: Integers = np.full(cost.shape, -1, np.int64)
        size = int(there.sum())
        numbers[there] = self.count + np.arange(size)
        self.count += size
        self._cost.append(cost[there])
        self._high.append(np.broadcast_to(np.asarray(high, np.float64), cost.shape)[there])
        self._low.append(np.broadcast_to(np.asarray(low, np.float64), cost.shape)[there])
        self._whole.append(np.full(size, 1 if whole else 0))
        return numbers

    def built(self) -> tuple[Floats, Floats, Floats, Integers]:
        """Return cost, lower and upper bounds, and 1 for whole numbers."""
        return (
            np.concatenate(self._cost),
            np.concatenate(self._low),
            np.concatenate(self._high),
            np.concatenate(self._whole),
        )


class _Program(NamedTuple):
    """A problem, and the programme that is written for it."""

    steps: Steps
    battery: Battery
    columns: _Columns
    rows: _Rows


class _Cells(NamedTuple):
    """Columns of the battery."""

    charge: Integers  # [T]
    discharge: Integers  # [T]
    state: Integers  # [T] at the end of each step


class _Units(NamedTuple):
    """Columns of the units."""

    on: Integers  # [U, T]
    start: Integers  # [U, T]
    stop: Integers  # [U, T]


def solve(steps: Steps, battery: Battery, *, gap_frac: float = GAP_FRAC, limit_s: float = TIME_LIMIT_S) -> Stored:
    """Return the best plan of a battery and units, with the gap that HiGHS reports.

    Raises
    ------
    InputError
        No plan meets the battery's limits, or none is known after the time limit.

    References
    ----------
    D. Rajan and S. Takriti, "Minimum up/down polytopes of the unit commitment problem", IBM RC23628 (2005);
    Q. Huangfu and J. A. J. Hall, Math. Prog. Comp. 10 (2018), 119 (HiGHS).
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    columns, rows = _Columns(), _Rows()
    program = _Program(steps, battery, columns, rows)
    cells, units = _battery(program), _starts(program)
    peak = _balance(program, cells, units)
    cost, low, high, whole = columns.built()
    matrix, below, above = rows.built(columns.count)
    done = milp(
        -cost,
        integrality=whole,
        bounds=Bounds(low, high),
        constraints=LinearConstraint(matrix, below, above),
        options={"mip_rel_gap": gap_frac, "time_limit": limit_s},
    )
    if done.x is None:
        raise InputError.at("storage", expected="a plan within the battery's limits", got=f"none ({done.message})")
    x = done.x

    def of(numbers: Integers) -> Floats:
        taken: Floats = np.where(numbers >= 0, x[np.maximum(numbers, 0)], 0.0)
        return taken

    charge, discharge, state = of(cells.charge), of(cells.discharge), of(cells.state)
    charge, discharge = np.maximum(charge - discharge, 0.0), np.maximum(discharge - charge, 0.0)
    on = np.rint(of(units.on)).astype(np.int64)
    name = "mixed-integer programme" if whole.any() else "linear programme"
    peaks = np.where(peak >= 0, of(peak) * (1.0 + _ROUNDING) + _SMALL_MW, np.inf)
    value = value_usd(within_peaks(steps, peaks), battery, charge, discharge, on)
    # HiGHS counts only what is open, so its bound is taken as a distance, and put over the value of the whole plan.
    short_usd = max(float(done.fun - done.mip_dual_bound), 0.0) if whole.any() else 0.0
    gap = short_usd / abs(value) if value else 0.0
    return Stored(charge, discharge, state, on, value, gap, f"HiGHS, {name}", peaks)


def burns(steps: Steps, battery: Battery) -> NDArray[np.bool_]:
    """Return the steps in which it would pay to charge and discharge at once, were it possible, shape [T].

    Losses then earn the negative price of power, which must exceed the degradation of the energy that goes through.
    """
    kept = battery.charge_frac * battery.discharge_frac
    paid = -np.where(steps.room_mw > 0.0, steps.price, np.inf).min(axis=0)
    lossy: NDArray[np.bool_] = paid * (1.0 - kept) > battery.wear_usd_per_mwh * kept
    return lossy


def _battery(program: _Program) -> _Cells:
    steps, battery, columns, rows = program
    hours, step_h = steps.month.size, steps.step_h
    there = battery.power_mw > 0.0
    none, zero = np.full(hours, -1, np.int64), np.zeros(hours)
    if not there:
        return _Cells(none, none, none)
    charge = columns.add(zero, battery.power_mw)
    discharge = columns.add(zero - battery.wear_usd_per_mwh * step_h, battery.power_mw)
    low = np.full(hours, battery.min_frac * battery.energy_mwh)
    low[-1] = battery.end_frac * battery.energy_mwh
    state = columns.add(zero, battery.max_frac * battery.energy_mwh, low=low)
    before = zero.copy()
    before[0] = battery.start_frac * battery.energy_mwh
    kept = rows.add(before, before)
    rows.put(kept, state, 1.0)
    rows.put(kept[1:], state[:-1], -1.0)
    rows.put(kept, charge, -battery.charge_frac * step_h)
    rows.put(kept, discharge, step_h / battery.discharge_frac)
    either = burns(steps, battery)
    if either.any():
        charging = columns.add(zero, 1.0, whole=True, where=either)
        count = int(either.sum())
        first = rows.add(np.full(count, -np.inf), np.zeros(count))
        rows.put(first, charge[either], 1.0)
        rows.put(first, charging[either], -battery.power_mw)
        second = rows.add(np.full(count, -np.inf), np.full(count, battery.power_mw))
        rows.put(second, discharge[either], 1.0)
        rows.put(second, charging[either], battery.power_mw)
    if np.isfinite(battery.cycles_per_day):
        days = int(steps.day[-1]) + 1
        most = np.full(days, battery.cycles_per_day * battery.energy_mwh / step_h)
        rows.put(rows.add(np.full(days, -np.inf), most)[steps.day], discharge, 1.0)
    return _Cells(charge, discharge, state)


def _starts(program: _Program) -> _Units:
    steps, _, columns, rows = program
    count, hours = steps.base_mw.shape
    zero = np.zeros((count, hours))
    later = np.broadcast_to(np.arange(hours) > 0, zero.shape)
    on = columns.add(zero + steps.base_mw * steps.base_worth * steps.step_h, 1.0, whole=True)
    start, stop = columns.add(zero - steps.wakes, 1.0, where=later), columns.add(zero, 1.0, where=later)
    for u in range(count):
        changes = rows.add(np.zeros(hours - 1), np.zeros(hours - 1))
        for numbers, value in ((on[u, 1:], 1.0), (on[u, :-1], -1.0), (start[u, 1:], -1.0), (stop[u, 1:], 1.0)):
            rows.put(changes, numbers, value)
        for switched, least, held, most in ((start[u], steps.up[u], -1.0, 0.0), (stop[u], steps.down[u], 1.0, 1.0)):
            window = rows.add(np.full(hours - 1, -np.inf), np.full(hours - 1, most))
            rows.put(window, on[u, 1:], held)
            for back in range(min(int(least), hours - 1)):
                rows.put(window[back:], switched[1 : hours - back], 1.0)
    return _Units(on, start, stop)


def _balance(program: _Program, cells: _Cells, units: _Units) -> Integers:
    """Add the power balance of each step, with uses of power that are open as columns; return the months' peaks."""
    steps, battery, columns, rows = program
    step_h, parts = steps.step_h, steps.cap_mw.shape[0]
    width = np.concatenate([steps.cap_mw, steps.room_mw])
    worth = np.concatenate([steps.worth, steps.price])
    unit = np.concatenate([steps.unit, np.full(steps.room_mw.shape[0], -1)])
    full, free = _decided(steps, battery, width, worth, unit)
    used = columns.add(worth * step_h, width, where=free)
    size = steps.room_mw[1:].sum(axis=0) - steps.must_mw - np.where(full, width, 0.0).sum(axis=0)
    balance = rows.add(size, size)
    for row in used:
        rows.put(balance, row, 1.0)
    rows.put(balance, cells.charge, 1.0)
    rows.put(balance, cells.discharge, -1.0)
    for u, numbers in enumerate(units.on):
        rows.put(balance, numbers, steps.base_mw[u])
    for p in np.flatnonzero(steps.unit >= 0):
        u, there = int(steps.unit[p]), np.flatnonzero(used[p] >= 0)
        bound = rows.add(np.full(there.size, -np.inf), np.zeros(there.size))
        rows.put(bound, used[p, there], 1.0)
        rows.put(bound, units.on[u, there], -steps.cap_mw[p, there])
        for j in range(steps.lost_frac.shape[1]):
            since = there >= j
            lost = steps.lost_frac[u, j] * steps.cap_mw[p, there[since]]
            rows.put(bound[since], units.start[u, there[since] - j], lost)
    charged = steps.charges_usd_per_mw > 0.0
    peak = columns.add(-steps.charges_usd_per_mw, np.inf, where=charged)
    if charged.any():
        drawn = steps.room_mw[1:].sum(axis=0)  # less what is not bought, it is the draw
        highest = rows.add(drawn, np.full(drawn.size, np.inf))
        rows.put(highest, peak[steps.month], 1.0)
        for row in used[parts:]:
            rows.put(highest, row, 1.0)
    return peak


def _decided(
    steps: Steps, battery: Battery, width: Floats, worth: Floats, unit: Integers
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which uses of power run whole in any plan, and which are open, both [parts and tranches, T].

    A use is decided where neither the battery nor a unit reaches its place in the order of worth. With a demand charge
    all are open.
    """
    there = width > _SMALL_MW
    if (steps.charges_usd_per_mw > 0.0).any():
        return np.zeros_like(there), there
    most = steps.room_mw[1:].sum(axis=0) - steps.must_mw + battery.power_mw
    least = most - 2.0 * battery.power_mw - steps.base_mw.sum(axis=0)
    order = np.argsort(-worth, axis=0, kind="stable")
    ranked = np.take_along_axis(width, order, axis=0)
    fixed = np.where(unit[order] < 0, ranked, 0.0)
    before = np.empty_like(width)
    np.put_along_axis(before, order, np.cumsum(fixed, axis=0) - fixed, axis=0)
    until = np.empty_like(width)
    np.put_along_axis(until, order, np.cumsum(ranked, axis=0), axis=0)
    full = there & (until <= least) & (unit < 0)[:, None]
    open_: NDArray[np.bool_] = there & ~full & (before < most)
    return full, open_
