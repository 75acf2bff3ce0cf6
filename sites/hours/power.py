"""Power limits, outages, ambient temperature, derating and PUE of a site."""

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


def share_of_steps(calendar: Calendar, start_s: float, hours: float) -> Floats:
    """Return the share of each step of a year, [T], that is within [start_s, start_s + hours)."""
    begins = np.arange(calendar.steps)
    first = (start_s - calendar.start_s) / calendar.step_s
    last = first + hours / calendar.step_h
    share: Floats = np.clip(np.minimum(begins + 1, last) - np.maximum(begins, first), 0.0, 1.0)
    return share


def limit_series(
    calendar: Calendar,
    interconnect_mw: float,
    outages: Sequence[tuple[int, float, float]],
    events: Sequence[tuple[int, float, float]],
) -> tuple[Floats, Integers]:
    """Return the power limit [MW at the meter] of each step and its cause (PLAIN, EVENT or OUTAGE), shapes [T].

    An outage or event that covers part of a step counts by that part, so that the limit is the step's mean.

    Parameters
    ----------
    calendar
        Steps of the year.
    interconnect_mw
        Size of the interconnect [MW].
    outages
        Start [s, unix], hours and remaining share of each outage; the smallest share applies where they overlap.
    events
        Start [s, unix], hours and limit [MW] of each curtailment event.
    """
    limit = np.full(calendar.steps, float(interconnect_mw))
    cause = np.zeros(calendar.steps, np.int64)
    for start_s, hours, limit_mw in events:
        within = share_of_steps(calendar, start_s, hours)
        limit = np.minimum(limit, interconnect_mw - within * max(interconnect_mw - limit_mw, 0.0))
        cause[within > 0.0] = EVENT
    lost = np.zeros(calendar.steps)
    ends = sorted({at for start_s, hours, _ in outages for at in (start_s, start_s + hours * HOUR_S)})
    for first_s, last_s in pairwise(ends):
        remaining = min((share for at, hours, share in outages if at <= first_s < at + hours * HOUR_S), default=1.0)
        within = share_of_steps(calendar, first_s, (last_s - first_s) / HOUR_S)
        lost += within * (1.0 - remaining)
        if remaining < 1.0:
            cause[within > 0.0] = OUTAGE
    return np.minimum(limit, np.maximum(interconnect_mw - lost * interconnect_mw, 0.0)), cause


def temperature_series(calendar: Calendar, mean_c_by_month: Sequence[float], daily_swing_c: float) -> Floats:
    """Return ambient temperature [°C], [T]: the monthly mean with a daily cosine of ±swing/2, warmest at 15 h local."""
    phase = 2.0 * np.pi * (calendar.hour - WARMEST_HOUR) / 24.0
    by_month: Floats = np.asarray(mean_c_by_month, float)[calendar.month]
    daily: Floats = by_month + 0.5 * daily_swing_c * np.cos(phase)
    return daily


def derate_series(temperature_c: Floats, above_c: float, stop_c: float) -> Floats:
    """Return the usable share of capacity: 1 up to above_c, falling linearly to 0 at stop_c."""
    share: Floats = np.clip((stop_c - temperature_c) / (stop_c - above_c), 0.0, 1.0)
    return share


def pue_series(
    calendar: Calendar, base: float, per_c: float, reference_c: float, temperature_c: Floats | None
) -> Floats:
    """Return the PUE of each step: base, plus per_c for each °C above the reference; at least 1."""
    if temperature_c is None or per_c == 0.0:
        return np.full(calendar.steps, base)
    warm: Floats = np.maximum(base + per_c * np.maximum(temperature_c - reference_c, 0.0), 1.0)
    return warm
