"""Piecewise linear functions of the stored energy, kept as corners (energy, value), compiled (it imports Numba)."""

from __future__ import annotations

import numpy as np

from sites.jit import site_njit

_STEEP = 1e9  # [USD/MWh] outside a run: above the slope of every value function
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
