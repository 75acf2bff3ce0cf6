"""A battery and units with start costs as a mixed-integer programme, written down without `sites.storage`.

Every step has its own columns and every rule its own rows; nothing is left out beforehand, and all choices are whole
numbers, also where the optimum would be whole without that.
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array


def best_usd(steps, battery):  # noqa: C901, PLR0915 - one rule after the other
    """The best worth less power, degradation, starts and demand charges [USD], to a relative gap of 1e-9."""
    p, t = steps.cap_mw.shape
    u, h = steps.base_mw.shape[0], steps.step_h
    sizes = {"part": p * t, "bought": 3 * t, "into": t, "out": t, "charging": t, "state": t}
    sizes |= {"on": u * t, "start": u * t, "stop": u * t, "peak": steps.charges_usd_per_mw.size}
    starts = np.cumsum([0, *sizes.values()])
    at = {name: starts[i] + np.arange(size) for i, (name, size) in enumerate(sizes.items())}
    width = int(starts[-1])
    part, bought = at["part"].reshape(p, t), at["bought"].reshape(3, t)
    on, start, stop = (at[name].reshape(u, t) for name in ("on", "start", "stop"))
    gain, low, high, whole = np.zeros(width), np.zeros(width), np.ones(width), np.zeros(width)
    gain[part], high[part] = steps.worth * h, steps.cap_mw
    gain[bought], high[bought] = -steps.price * h, steps.room_mw
    gain[at["out"]] = -battery.wear_usd_per_mwh * h
    high[at["into"]] = high[at["out"]] = battery.power_mw
    low[at["state"]], high[at["state"]] = (
        battery.energy_mwh * battery.min_frac,
        battery.energy_mwh * battery.max_frac,
    )
    low[at["state"][-1]] = battery.energy_mwh * battery.end_frac
    gain[on] = steps.base_mw * steps.base_worth * h
    gain[start] = -steps.start_usd[:, None]
    high[start[:, 0]] = high[stop[:, 0]] = 0
    gain[at["peak"]], high[at["peak"]] = -steps.charges_usd_per_mw, np.inf
    whole[at["charging"]] = whole[on] = whole[start] = whole[stop] = 1
    rows, lows, highs, number = [], [], [], 0

    def row(columns, values, least, most):
        nonlocal number
        rows.append((np.full(len(columns), number), np.asarray(columns), np.asarray(values, float)))
        lows.append(least)
        highs.append(most)
        number += 1

    for k in range(t):
        row(
            [*part[:, k], *on[:, k], *bought[:, k], at["into"][k], at["out"][k]],
            [*np.ones(p), *steps.base_mw[:, k], *-np.ones(3), 1, -1],
            -steps.must_mw[k] - steps.room_mw[0, k],
            -steps.must_mw[k] - steps.room_mw[0, k],
        )
        before = [at["state"][k - 1]] if k else []
        held = 0.0 if k else battery.energy_mwh * battery.start_frac
        row(
            [at["state"][k], *before, at["into"][k], at["out"][k]],
            [1, *[-1] * len(before), -h * battery.charge_frac, h / battery.discharge_frac],
            held,
            held,
        )
        row([at["into"][k], at["charging"][k]], [1, -battery.power_mw], -np.inf, 0)
        row([at["out"][k], at["charging"][k]], [1, battery.power_mw], -np.inf, battery.power_mw)
        if steps.charges_usd_per_mw[steps.month[k]] > 0:
            row([*bought[:, k], at["peak"][steps.month[k]]], [1, 1, 1, -1], -np.inf, steps.room_mw[0, k])
    if np.isfinite(battery.cycles_per_day):
        for day in range(int(steps.day[-1]) + 1):
            there = at["out"][steps.day == day]
            row(there, np.full(there.size, h), -np.inf, battery.cycles_per_day * battery.energy_mwh)
    for i in range(u):
        for k in range(1, t):
            row([start[i, k], stop[i, k], on[i, k], on[i, k - 1]], [1, -1, -1, 1], 0, 0)
            for later in range(k, min(k + int(steps.up[i]), t)):
                row([start[i, k], on[i, later]], [1, -1], -np.inf, 0)
            for later in range(k, min(k + int(steps.down[i]), t)):
                row([stop[i, k], on[i, later]], [1, 1], -np.inf, 1)
            for j, lost in enumerate(steps.lost_frac[i]):
                if k + j < t:
                    gain[start[i, k]] -= lost * steps.base_mw[i, k + j] * steps.base_worth[i, k + j] * h
        for q in np.flatnonzero(steps.unit == i):
            for k in range(t):
                cap = steps.cap_mw[q, k]
                woken = [(start[i, k - j], cap * lost) for j, lost in enumerate(steps.lost_frac[i]) if k >= j]
                row([part[q, k], on[i, k], *(c for c, _ in woken)], [1, -cap, *(v for _, v in woken)], -np.inf, 0)
    r, c, v = (np.concatenate([entry[i] for entry in rows]) for i in range(3))
    matrix = coo_array((v, (r, c)), shape=(number, width)).tocsr()
    solved = milp(
        -gain,
        integrality=whole,
        bounds=Bounds(low, high),
        constraints=LinearConstraint(matrix, lows, highs),
        options={"mip_rel_gap": 1e-9},
    )
    assert solved.success, solved.message
    return -solved.fun + float((steps.room_mw[0] * steps.price[0]).sum()) * h
