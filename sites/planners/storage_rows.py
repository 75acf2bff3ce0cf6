"""What a battery and start costs add to the planner tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sites.dispatch.year import SiteYear

BATTERY = "battery"


def storage_columns(year: SiteYear) -> dict[str, Any]:
    """Return the columns of a site's battery and start costs, without a value where it has none."""
    done = year.storage
    return {
        "battery_cycles": done.cycles if done else None,
        "shifted_mwh": done.discharged_mwh if done else None,
        "battery_power_usd": done.power_usd if done else None,
        "degradation_usd": done.wear_usd if done else None,
        "export_mwh": done.export_mwh if done else None,
        "export_usd": done.export_usd if done else None,
        "starts": sum(unit.starts for unit in done.units) if done else None,
        "start_usd": done.start_usd if done else None,
        "wake_mwh": sum(unit.wake_mwh for unit in done.units) if done else None,
        "storage_gap_frac": done.gap_frac if done else None,
    }


def with_battery(year: SiteYear, columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns with a row of the battery after the parts of each hour: its draw, below 0 what it gives."""
    if year.storage is None:
        return columns
    net, count = year.storage.charge_mw - year.storage.discharge_mw, len(year.labels)
    own = {
        "block": BATTERY,
        "part": None,
        "product": "storage",
        "device_mw": net,
        "meter_mw": net,
        "worth_usd_per_mwh": np.nan,
        "revenue_usd": 0.0,
        "reason": np.where(net > 0.0, "charges", np.where(net < 0.0, "discharges", "rests")).astype(object),
    }
    rows = {}
    for name, values in columns.items():
        table = values.reshape(-1, count)
        added = np.empty((len(table), 1), table.dtype)
        added[:, 0] = own.get(name, table[:, -1])
        rows[name] = np.concatenate([table, added], axis=1).ravel()
    return rows
