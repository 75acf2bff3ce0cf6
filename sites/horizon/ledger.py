"""The ledger of a horizon: what contracts need to know of a site, from what it does in all hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sites.contracts.ledger import BlockLedger, Ledger
from sites.hours.calendar import HOUR_S, anniversary

if TYPE_CHECKING:
    from sites.horizon.years import Horizon


def ledger_of(horizon: Horizon) -> Ledger:
    """Return the ledger of all hours of a horizon, [T]."""
    done = horizon.activity()
    steps = done.calendar.steps
    days = [
        np.datetime64(anniversary(horizon.start, part.year)).astype(np.int64) + part.activity.calendar.day_of_year
        for part in horizon.parts
    ]
    return Ledger(
        start_s=done.calendar.start_s + HOUR_S * np.arange(steps),
        day=np.concatenate(days),
        how=done.calendar.how,
        month=done.month,
        step_h=np.full(steps, done.calendar.step_h),
        spot_usd_per_mwh=done.spot_usd_per_mwh,
        metered_mwh=done.metered_mwh,
        power_usd=done.power_usd,
        blocks={
            block.name: BlockLedger(
                metered_mwh=block.facility_mwh / horizon.site.delivered_frac,
                revenue_usd=block.revenue_usd + block.rent_usd,
                gpu_hours=block.units if block.unit == "gpu_hour" else None,
            )
            for block in done.blocks
        },
    )
