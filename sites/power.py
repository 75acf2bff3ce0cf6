"""What power reaches the machines: limits, outages, ambient temperature, derating and PUE, hour by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.calendar import HOUR_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sites.calendar import Calendar

    Floats = NDArray[np.float64]

PLAIN, EVENT, OUTAGE = 0, 1, 2
WARMEST_HOUR = 15


def window(calendar: Calendar, start_s: int, hours: float) -> slice:
    """Hours of a year that begin within [start_s, start_s + hours), as a slice that may be empty."""
    first = max(0, -(-(start_s - calendar.start_s) // HOUR_S))
    last = max(first, min(calendar.hours, int(-(-(start_s + hours * HOUR_S - calendar.start_s) // HOUR_S))))
    return slice(min(first, calendar.hours), last)


def limit_series(
    calendar: Calendar,
    interconnect_mw: float,
    outages: Sequence[tuple[int, float, float]],
    events: Sequence[tuple[int, float, float]],
) -> tuple[Floats, NDArray[np.int64]]:
    """Power [MW at the meter] that may be drawn in each hour, and what bounds it (PLAIN, EVENT, OUTAGE).

    outages: (start [s], hours, share that stays). events: (start [s], hours, limit [MW]).
    """
    import numpy as np

    limit = np.full(calendar.hours, float(interconnect_mw))
    what = np.zeros(calendar.hours, np.int64)
    for start_s, hours, limit_mw in events:
        where = window(calendar, start_s, hours)
        limit[where] = np.minimum(limit[where], limit_mw)
        what[where] = EVENT
    for start_s, hours, share in outages:
        where = window(calendar, start_s, hours)
        limit[where] = np.minimum(limit[where], share * interconnect_mw)
        what[where] = OUTAGE
    return limit, what


def temperature_series(calendar: Calendar, mean_c_by_month: Sequence[float], daily_swing_c: float) -> Floats:
    """Ambient temperature [°C]: the month's mean with a daily cosine of +-swing/2 about it, warmest at 15 h local."""
    import numpy as np

    phase = 2.0 * np.pi * (calendar.hour - WARMEST_HOUR) / 24.0
    by_month: Floats = np.asarray(mean_c_by_month, float)[calendar.month]
    daily: Floats = by_month + 0.5 * daily_swing_c * np.cos(phase)
    return daily


def derate_series(temperature_c: Floats, above_c: float, stop_c: float) -> Floats:
    """Share of capacity that runs: 1 up to above_c, falling in a straight line to 0 at stop_c."""
    import numpy as np

    share: Floats = np.clip((stop_c - temperature_c) / (stop_c - above_c), 0.0, 1.0)
    return share


def pue_series(
    calendar: Calendar, base: float, per_c: float, reference_c: float, temperature_c: Floats | None
) -> Floats:
    """PUE of each hour: base, and per_c more for each °C above the reference; at least 1."""
    import numpy as np

    if temperature_c is None or per_c == 0.0:
        return np.full(calendar.hours, base)
    warm: Floats = np.maximum(base + per_c * np.maximum(temperature_c - reference_c, 0.0), 1.0)
    return warm
