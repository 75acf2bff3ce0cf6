"""The construction of a site's battery and of the start terms of its blocks from their tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sites.storage.terms import Battery, StartTerms

if TYPE_CHECKING:
    from sites.file.storage.tables import BatteryTable, StartKeys
    from sites.storage.ramps import MeasuredRamp

MINUTES_PER_HOUR = 60.0


def battery_of(table: BatteryTable | None) -> Battery | None:
    """Return the battery of a site file, or None; a round trip is shared evenly between charging and discharging."""
    if table is None:
        return None
    start = table.start_state_percent.value / 100.0
    into, out = table.charge_percent, table.discharge_percent
    each_way = math.sqrt(table.round_trip_percent.value / 100.0) if table.round_trip_percent else 1.0
    return Battery(
        power_mw=table.power_mw.value,
        energy_mwh=table.energy_mwh.value,
        charge_frac=into.value / 100.0 if into else each_way,
        discharge_frac=out.value / 100.0 if out else each_way,
        min_frac=table.min_state_percent.value / 100.0,
        max_frac=table.max_state_percent.value / 100.0,
        start_frac=start,
        end_frac=table.end_state_percent.value / 100.0 if table.end_state_percent else start,
        wear_usd_per_mwh=table.degradation_usd_per_mwh.value,
        may_export=table.may_export,
        cycles_per_day=table.cycles_per_day.value if table.cycles_per_day else math.inf,
    )


def start_terms(table: StartKeys, ramp: MeasuredRamp | None = None) -> StartTerms | None:
    """Return the start terms of a block, or None if it has no key of them.

    Parameters
    ----------
    table
        The table of the block.
    ramp
        The measured ramp that it names.
    """
    up, down, wake, usd = table.min_up_hours, table.min_down_hours, table.wake_minutes, table.start_usd
    if up is None and down is None and wake is None and usd is None and ramp is None:
        return None
    down_h = down.value if down else 0.0
    wake_h = wake.value / MINUTES_PER_HOUR if wake else 0.0
    return StartTerms(
        min_up_h=up.value if up else 0.0,
        min_down_h=max(down_h, ramp.min_down_h) if ramp else down_h,
        wake_h=ramp.wake_h if ramp else wake_h,
        start_usd=usd.value if usd else 0.0,
        source=ramp.words() if ramp else "",
    )
