"""A battery and units together: value functions of the stored energy, one for each state of the units (compiled).

The value of stored energy is piecewise linear, but where the best plan of the units depends on it, it is not concave.
It is kept as corners (energy, value). A step back takes the highest of the functions that the units may go on to, cuts
it into concave runs, and merges each with the pieces of the step. Nothing is rounded to a grid, so the plan is exact.
"""

from __future__ import annotations

import numpy as np

from sites.jit import site_njit
from sites.storage.kernels.corners import add_corner, combine, higher, value_at

_OWED_USD_PER_MWH = 1e7  # worth of energy that the end state lacks
_TIE = 1e-12  # by which, relatively, another plan must be better


@site_njit
def step_pieces(t, width, worth, order, unit, scale, size, terms, step_h, slope, length):
    """Write the pieces of a step over the energy released, from most charging on, and return its value at rest.

    Parameters
    ----------
    width, worth, order
        Power [MW], worth [USD/MWh] and rank of the uses, shape [I, T].
    unit, scale
        Unit of each use (-1 for none), and the share of each unit's parts that may run.
    size
        Power that the uses take together at rest [MW].
    terms
        Power [MW], share kept in charging, in discharging, degradation [USD/MWh].

    Returns
    -------
    count, charging, rest
        Number of pieces, how many of them are of charging, and worth of the uses at rest [USD/h].
    """
    power, kept_in, kept_out, wear = terms
    low, high = max(size - power, 0.0), size + power
    count, before, rest = 0, 0.0, 0.0
    for rank in range(order.shape[0]):
        i = order[rank, t]
        wide = width[i, t] if unit[i] < 0 else width[i, t] * scale[unit[i]]
        after = before + wide
        rest += (min(after, size) - min(before, size)) * worth[i, t]
        first, last = max(before, low), min(after, size)
        if last > first:
            slope[count], length[count] = worth[i, t] / kept_in, (last - first) * step_h * kept_in
            count += 1
        before = after
        if before >= size:
            break
    charging, before = count, 0.0
    for rank in range(order.shape[0]):
        i = order[rank, t]
        after = before + (width[i, t] if unit[i] < 0 else width[i, t] * scale[unit[i]])
        first, last = max(before, size), min(after, high)
        if last > first:
            slope[count], length[count] = (worth[i, t] - wear) * kept_out, (last - first) * step_h / kept_out
            count += 1
        before = after
        if before >= high:
            break
    return count, charging, rest


@site_njit
def back_steps(begin, end, uses, states, size, terms, limits, step_h, xs, vs, counts):
    """Write the value functions of steps `begin` to before `end` from those of step `end`; return False on overflow.

    Parameters
    ----------
    uses
        width, worth, order, unit of the uses of power.
    states
        The fields of `joint.States`.
    size
        Power that the uses take together with all units off and the battery at rest [MW], shape [T].
    xs, vs, counts
        Corners of each step's functions; row end - begin holds those of step `end`, shape [steps + 1, S, N].
    """
    width, worth, order, unit = uses
    combo, on, scale, targets, starting, wakes, base, spent, earned = states
    least, full = limits[0], limits[1]
    room = xs.shape[2]
    work, hull = np.empty((4, room)), np.empty((4, room))
    most = 2 * order.shape[0] + 2
    slope, length = np.empty((on.shape[0], most)), np.empty((on.shape[0], most))
    number, charging, rest = (
        np.empty(on.shape[0], np.int64),
        np.empty(on.shape[0], np.int64),
        np.empty(on.shape[0]),
    )
    for t in range(end - 1, begin - 1, -1):
        row = t - begin
        for c in range(on.shape[0]):
            left = size[t]
            for u in range(on.shape[1]):
                left -= on[c, u] * base[u, t]
            number[c], charging[c], rest[c] = step_pieces(
                t, width, worth, order, unit, scale[c], left, terms, step_h, slope[c], length[c]
            )
            rest[c] = (rest[c] - spent[t]) * step_h
            for u in range(on.shape[1]):
                rest[c] += on[c, u] * earned[u, t]
        for s in range(combo.shape[0]):
            held, at = 0, 0
            for m in range(targets.shape[1]):
                target = targets[s, m]
                if target < 0:
                    continue
                cost = 0.0
                if t + 1 < size.shape[0]:
                    for u in range(on.shape[1]):
                        if starting[s, m, u]:
                            cost += wakes[u, t + 1]
                elif m > 0:
                    continue
                if held == 0:
                    held = counts[row + 1, target]
                    hull[0, :held], hull[1, :held] = xs[row + 1, target, :held], vs[row + 1, target, :held] - cost
                else:
                    held = higher(
                        hull[at], hull[at + 1], held,
                        xs[row + 1, target], vs[row + 1, target], counts[row + 1, target], cost,
                        hull[2 - at], hull[3 - at],
                    )  # fmt: skip
                    if held > room:
                        return False
                    at = 2 - at
            c = combo[s]
            made = combine(
                hull[at], hull[at + 1], held, slope[c], length[c], number[c], charging[c], rest[c], least, full, work,
                xs[row, s], vs[row, s],
            )  # fmt: skip
            if made > room:
                return False
            counts[row, s] = made
    return True


@site_njit
def last_values(limits, xs, vs, counts):
    """Write the value functions after the last step: 0 from the end state on, and a debt below it."""
    least, full, _, end = limits
    for s in range(counts.shape[0]):
        count = 0
        if end > least:
            count = add_corner(least, -_OWED_USD_PER_MWH * (end - least), xs[s], vs[s], count)
        count = add_corner(end, 0.0, xs[s], vs[s], count)
        if full > end:
            count = add_corner(full, 0.0, xs[s], vs[s], count)
            if count == 2 and end == least:
                xs[s, 1], vs[s, 1] = full, 0.0
        counts[s] = count


@site_njit
def forward_steps(
    begin,
    end,
    uses,
    states,
    size,
    terms,
    limits,
    step_h,
    day,
    most_per_day,
    xs,
    vs,
    counts,
    place,
    net,
    state,
    on_steps,
):
    """Follow the value functions from `place`; write what battery and units do; return the place after the last step.

    A place is the state of the units, the stored energy, and what was discharged since the day began [MWh meter], of
    which `most_per_day` is the limit.
    """
    width, worth, order, unit = uses
    combo, on, scale, targets, starting, wakes, base, _, _ = states
    least, full = limits[0], limits[1]
    most = 2 * order.shape[0] + 2
    slope, length = np.empty(most), np.empty(most)
    corner, gain = np.empty(most + 1), np.empty(most + 1)
    s, now, done = place
    for t in range(begin, end):
        row, c = t - begin, combo[s]
        if t > 0 and day[t] != day[t - 1]:
            done = 0.0
        most_out = min(now - least, max(most_per_day - done, 0.0) / terms[2])
        left = size[t]
        for u in range(on.shape[1]):
            left -= on[c, u] * base[u, t]
            on_steps[u, t] = on[c, u]
        number, charging, _ = step_pieces(t, width, worth, order, unit, scale[c], left, terms, step_h, slope, length)
        corner[charging], gain[charging] = 0.0, 0.0
        for j in range(charging - 1, -1, -1):
            corner[j], gain[j] = corner[j + 1] - length[j], gain[j + 1] - slope[j] * length[j]
        for j in range(charging, number):
            corner[j + 1], gain[j + 1] = corner[j] + length[j], gain[j] + slope[j] * length[j]
        best, best_released, best_target = -np.inf, 0.0, -1
        for m in range(targets.shape[1]):
            target = targets[s, m]
            if target < 0:
                continue
            cost = 0.0
            if t + 1 < size.shape[0]:
                for u in range(on.shape[1]):
                    if starting[s, m, u]:
                        cost += wakes[u, t + 1]
            elif m > 0:
                continue
            corners = counts[row + 1, target]
            here_x, here_v = xs[row + 1, target], vs[row + 1, target]
            value = value_at(now, here_x, here_v, corners) - cost
            if value > best:
                best, best_released, best_target = value, 0.0, target
            slack = _TIE * (1.0 + abs(best))
            for j in range(number + 1):
                released = min(max(corner[j], now - full), most_out)
                earned_now = value_at(released, corner, gain, number + 1)
                value = earned_now + value_at(now - released, here_x, here_v, corners) - cost
                if value > best + slack:
                    best, best_released, best_target = value, released, target
            for k in range(corners):
                released = now - here_x[k]
                if corner[0] <= released <= corner[number] and released <= most_out:
                    value = value_at(released, corner, gain, number + 1) + here_v[k] - cost
                    if value > best + slack:
                        best, best_released, best_target = value, released, target
        now = min(max(now - best_released, least), full)
        if best_released > 0.0:
            net[t] = -best_released * terms[2] / step_h
            done += best_released * terms[2]
        elif best_released < 0.0:
            net[t] = -best_released / terms[1] / step_h
        else:
            net[t] = 0.0
        state[t] = now
        s = best_target
    return s, now, done
