"""Why the parts of a site with a battery or start costs draw no more than they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sites.dispatch.columns import (
    ABSENT,
    CURTAILED,
    EVENT,
    FULL,
    GRID,
    IDLE,
    OFF,
    OUT,
    OUTAGE,
    PEAK,
    PRICE,
    RESALE,
    WAITS,
    WAKES,
)
from sites.dispatch.formulas import resale_price
from sites.storage.hours import lost_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sites.arrays import Floats
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.stored.rows import Case

ROUNDING = 1e-9  # relative, of power that reaches a limit


def peaks_of(arrays: Problem, drawn_mw: Floats) -> Floats:
    """Return each month's highest draw [MW meter], shape [M]."""
    peaks = np.zeros(arrays.charges_usd_per_mw.size)
    np.maximum.at(peaks, arrays.month, drawn_mw)
    return peaks


def reasons_of(case: Case, meter: Floats, net: Floats) -> NDArray[np.int8]:
    """Return why each row draws no more than it does, [T, B]."""
    _, arrays, rows, steps, plan, _ = case
    hour, event = arrays.hours, arrays.event
    resale = resale_price(hour.resale_usd_per_mwh)
    unwanted = np.where((resale > 0.0) & (resale <= hour.spot_usd_per_mwh) & (net < arrays.contract_mw), RESALE, PRICE)
    bound = np.where(event == CURTAILED, EVENT, np.where(event == OUT, OUTAGE, GRID))
    peaks = peaks_of(arrays, net)
    charged = arrays.charges_usd_per_mw[arrays.month] > 0.0
    peak = np.where(charged, peaks[arrays.month], np.inf)
    at_peak = (net >= peak * (1.0 - ROUNDING)) & (peak < hour.limit_mw)
    at_limit = net >= hour.limit_mw * (1.0 - ROUNDING)
    why = np.broadcast_to(np.where(at_peak, PEAK, np.where(at_limit, bound, unwanted)), meter.shape).copy()
    full = meter >= rows.cap_mw * (1.0 - ROUNDING)
    why[full] = FULL
    why[rows.cap_mw <= 0.0] = ABSENT
    lost = lost_shares(steps, plan.on)
    for k, u in enumerate(rows.unit.tolist()):
        if u >= 0:
            there = rows.cap_mw[k] > 0.0
            why[k, there & (plan.on[u] == 0)] = OFF
            why[k, there & (lost[u] > 0.0)] = WAKES
    idle = (arrays.parts.kind == IDLE)[:, None] & (why < OFF)
    why[idle] = np.where(full, WAITS, np.where(event == OUT, OUTAGE, GRID))[idle]
    return np.ascontiguousarray(why.T.astype(np.int8))
