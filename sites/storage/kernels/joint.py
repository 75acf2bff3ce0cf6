"""A battery and units together: value functions of the stored energy, one for each state of the units (compiled).

The value of stored energy is piecewise linear, but where the best plan of the units depends on it, it is not concave.
It is kept as corners (energy, value). A step back takes the highest of the functions that the units may go on to, cuts
it into concave runs, and merges each with the pieces of the step. Nothing is rounded to a grid, so the plan is exact.
"""

from __future__ import annotations

import numpy as np

from sites.jit import site_njit

_STEEP = 1e9  # [USD/MWh] outside a run: above the slope of every value function
_OWED_USD_PER_MWH = 1e7  # worth of energy that the end state lacks
_TIE = 1e-12  # by which, relatively, another plan must be better
_FLAT_USD = 1e-10  # by which a corner must stand out
_BENT = 1e-9  # by which a slope must rise, relatively, before the function is cut


@site_njit
def value_at(x, xs, vs, count):
    """Return the value of a function at energy x."""
    if count == 1 or x <= xs[0]:
        return vs[0]
    if x >= xs[count - 1]:
        return vs[count - 1]
    low, high = 0, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    share = (x - xs[low]) / (xs[high] - xs[low])
    return vs[low] + share * (vs[high] - vs[low])


@site_njit
def add_corner(x, v, xs, vs, count):
    """Add a corner at the end, and drop the one before where it does not stand out; return the new number."""
    if count > 0 and x <= xs[count - 1]:
        vs[count - 1] = max(vs[count - 1], v)
        return count
    if count > 1:
        share = (xs[count - 1] - xs[count - 2]) / (x - xs[count - 2])
        if abs(vs[count - 2] + share * (v - vs[count - 2]) - vs[count - 1]) <= _FLAT_USD:
            count -= 1
    if count < xs.shape[0]:
        xs[count], vs[count] = x, v
    return count + 1


@site_njit
def higher(ax, av, a_count, bx, bv, b_count, b_less, xs, vs):
    """Write the higher of function a and function b less `b_less`; return its number of corners."""
    i, j, count = 0, 0, 0
    x_before, gap_before = 0.0, 0.0
    first = True
    while i < a_count or j < b_count:
        x = ax[i] if j >= b_count or (i < a_count and ax[i] <= bx[j]) else bx[j]
        while i < a_count and ax[i] <= x:
            i += 1
        while j < b_count and bx[j] <= x:
            j += 1
        a, b = value_at(x, ax, av, a_count), value_at(x, bx, bv, b_count) - b_less
        gap, v = a - b, max(a, b)
        if not first and gap * gap_before < 0.0:
            share = gap_before / (gap_before - gap)
            cross = x_before + share * (x - x_before)
            if x_before < cross < x:
                at_cross = value_at(cross, ax, av, a_count)
                count = add_corner(cross, at_cross, xs, vs, count)
                if count > xs.shape[0]:
                    return count
        count = add_corner(x, v, xs, vs, count)
        if count > xs.shape[0]:
            return count
        x_before, gap_before, first = x, gap, False
    return count


@site_njit
def merge_run(xs, vs, first, last, slope, length, begin, end, at_left, least, full, out_x, out_v):
    """Write the best sum of one concave run of a function and one concave run of a step's pieces.

    Parameters
    ----------
    xs, vs, first, last
        Corners of the function; its run is from corner `first` to corner `last`.
    slope, length, begin, end
        Pieces of the step over the energy released, in falling order of slope from `begin` to before `end`.
    at_left
        Value and energy released at the left end of these pieces.
    """
    released, gained = at_left
    x, v = xs[first] + released, vs[first] + gained
    count = 0
    if x > least:
        count = add_corner(least, v - _STEEP * (x - least), out_x, out_v, count)
    elif x == least:
        count = add_corner(least, v, out_x, out_v, count)
    x_before, v_before = x, v
    if x > least:
        count = add_corner(min(x, full), v if x <= full else v - _STEEP * (x - full), out_x, out_v, count)
    i, j = first, begin
    while (i < last or j < end) and x < full:
        own = (vs[i + 1] - vs[i]) / (xs[i + 1] - xs[i]) if i < last else -np.inf
        if j >= end or (i < last and own >= slope[j]):
            x, v = x + (xs[i + 1] - xs[i]), v + (vs[i + 1] - vs[i])
            i += 1
        else:
            x, v = x + length[j], v + slope[j] * length[j]
            j += 1
        if x > least:
            if count == 0 and x_before <= least:
                share = (least - x_before) / (x - x_before)
                count = add_corner(least, v_before + share * (v - v_before), out_x, out_v, count)
            if x > full:
                share = (full - x_before) / (x - x_before)
                count = add_corner(full, v_before + share * (v - v_before), out_x, out_v, count)
            else:
                count = add_corner(x, v, out_x, out_v, count)
            if count > out_x.shape[0]:
                return count
        x_before, v_before = x, v
    if x < full:
        if x < least:
            count = add_corner(least, v - _STEEP * (least - x), out_x, out_v, count)
        count = add_corner(
            full, v - _STEEP * (full - max(x, least)) if x >= least else v - _STEEP * (full - x), out_x, out_v, count
        )
    return count


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
def combine(xs, vs, count, slope, length, pieces, charging, rest, least, full, temp, out_x, out_v):
    """Write the best sum of a function and a step whose value at rest is `rest` [USD]; return the number of corners."""
    split = 0 < charging < pieces and slope[charging] > slope[charging - 1] * (1.0 + _BENT) + _BENT
    taken, spent = 0.0, 0.0
    for j in range(charging):
        taken += length[j]
        spent += length[j] * slope[j]
    made, first = 0, 0
    if full <= least:
        out_x[0], out_v[0] = least, vs[0] + rest
        return 1
    while first < count - 1 or (count == 1 and made == 0):
        last = first
        before = np.inf
        while last < count - 1:
            own = (vs[last + 1] - vs[last]) / (xs[last + 1] - xs[last])
            if own > before + _BENT * (abs(before) + 1.0):
                break
            before = own
            last += 1
        for half in range(2 if split else 1):
            begin = charging if half == 1 else 0
            end = charging if split and half == 0 else pieces
            left = (0.0, rest) if half == 1 else (-taken, rest - spent)
            if made == 0:
                made = merge_run(xs, vs, first, last, slope, length, begin, end, left, least, full, out_x, out_v)
            else:
                new = merge_run(xs, vs, first, last, slope, length, begin, end, left, least, full, temp[0], temp[1])
                if new > temp.shape[1]:
                    return new
                both = higher(out_x, out_v, made, temp[0], temp[1], new, 0.0, temp[2], temp[3])
                if both > temp.shape[1]:
                    return both
                made = both
                out_x[:made], out_v[:made] = temp[2, :made], temp[3, :made]
            if made > out_x.shape[0]:
                return made
        first = last
    return made


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
