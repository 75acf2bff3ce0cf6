"""What power reaches the machines: limits, outages, ambient temperature, derating and PUE, hour by hour."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sites.hours.calendar import HOUR_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats, Integers
    from sites.hours.calendar import Calendar

PLAIN, EVENT, OUTAGE = 0, 1, 2
WARMEST_HOUR = 15


def share_of_hours(calendar: Calendar, start_s: float, hours: float) -> Floats:
    """Share of each hour of a year, [T], that lies within [start_s, start_s + hours)."""
    begins = np.arange(calendar.hours)
    first = (start_s - calendar.start_s) / HOUR_S
    share: Floats = np.clip(np.minimum(begins + 1, first + hours) - np.maximum(begins, first), 0.0, 1.0)
    return share


def limit_series(
    calendar: Calendar,
    interconnect_mw: float,
    outages: Sequence[tuple[int, float, float]],
    events: Sequence[tuple[int, float, float]],
) -> tuple[Floats, Integers]:
    """Power [MW at the meter] that may be drawn in each hour, and what bounds it (PLAIN, EVENT, OUTAGE).

    outages: (start [s], hours, share that stays; the smallest where they overlap). events: (start [s], hours, limit
    [MW]). Either counts by its share of the hour, so that the limit is the hour's mean.
    """
    limit = np.full(calendar.hours, float(interconnect_mw))
    what = np.zeros(calendar.hours, np.int64)
    for start_s, hours, limit_mw in events:
        within = share_of_hours(calendar, start_s, hours)
        limit = np.minimum(limit, interconnect_mw - within * max(interconnect_mw - limit_mw, 0.0))
        what[within > 0.0] = EVENT
    lost = np.zeros(calendar.hours)
    ends = sorted({at for start_s, hours, _ in outages for at in (start_s, start_s + hours * HOUR_S)})
    for first_s, last_s in pairwise(ends):
        stays = min((share for at, hours, share in outages if at <= first_s < at + hours * HOUR_S), default=1.0)
        within = share_of_hours(calendar, first_s, (last_s - first_s) / HOUR_S)
        lost += within * (1.0 - stays)
        if stays < 1.0:
            what[within > 0.0] = OUTAGE
    return np.minimum(limit, np.maximum(interconnect_mw - lost * interconnect_mw, 0.0)), what


def temperature_series(calendar: Calendar, mean_c_by_month: Sequence[float], daily_swing_c: float) -> Floats:
    """Ambient temperature [°C]: the month's mean with a daily cosine of +-swing/2 about it, warmest at 15 h local."""
    phase = 2.0 * np.pi * (calendar.hour - WARMEST_HOUR) / 24.0
    by_month: Floats = np.asarray(mean_c_by_month, float)[calendar.month]
    daily: Floats = by_month + 0.5 * daily_swing_c * np.cos(phase)
    return daily


def derate_series(temperature_c: Floats, above_c: float, stop_c: float) -> Floats:
    """Share of capacity that runs: 1 up to above_c, falling in a straight line to 0 at stop_c."""
    share: Floats = np.clip((stop_c - temperature_c) / (stop_c - above_c), 0.0, 1.0)
    return share


def pue_series(
    calendar: Calendar, base: float, per_c: float, reference_c: float, temperature_c: Floats | None
) -> Floats:
    """PUE of each hour: base, and per_c more for each °C above the reference; at least 1."""
    if temperature_c is None or per_c == 0.0:
        return np.full(calendar.hours, base)
    warm: Floats = np.maximum(base + per_c * np.maximum(temperature_c - reference_c, 0.0), 1.0)
    return warm
