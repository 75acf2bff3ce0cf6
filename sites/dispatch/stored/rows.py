"""A site with a battery or start costs as the solvers of `sites.storage` take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sites.dispatch.columns import IDLE, MINING
from sites.dispatch.formulas import power_prices, resale_price
from sites.dispatch.parts import NO_FACTORS, PartFactors, meter_of_parts, scaled_parts
from sites.dispatch.problem import labels
from sites.storage.hours import NO_BATTERY, Steps, start_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sites.arrays import Floats, Integers
    from sites.dispatch.merit_order import Problem
    from sites.model import InferenceBlock, MiningBlock, Site
    from sites.storage.hours import Stored


class Rows(NamedTuple):
    """The rows of a site's Problem, sorted by how its steps treat them; powers are at the meter."""

    cap_mw: Floats  # shape [B, T]
    worth: Floats  # [USD/MWh meter] shape [B, T]
    ratio: Floats  # meter MW per device MW, shape [B, T]
    owed_mw: Floats  # [MW device] promised work, shape [B, T]
    unit: Integers  # index of the block among those with start costs, -1 for none, shape [B]
    is_base: NDArray[np.bool_]  # drawn whenever the unit is on, shape [B]
    is_must: NDArray[np.bool_]  # drawn whatever it costs, shape [B]
    units: tuple[MiningBlock | InferenceBlock, ...]


def rows_of(site: Site, arrays: Problem, factors: PartFactors = NO_FACTORS) -> Rows:
    """Return the rows of a site with a battery or start costs."""
    rows = labels(site)
    ratio = meter_of_parts(site, rows)
    caps, owed, worth = scaled_parts(site, arrays, factors)
    units = tuple(block for block in site.blocks if block.starts is not None)
    names = [block.name for block in units]
    unit = np.array([names.index(row.name) if row.name in names else -1 for row in rows], np.int64)
    kinds = arrays.parts.kind.astype(np.int64)
    first = {row.name: k for k, row in reversed(list(enumerate(rows)))}
    leads = np.array([first[row.name] == k for k, row in enumerate(rows)])
    is_base = leads & (unit >= 0) & ((kinds == MINING) | (kinds == IDLE))
    is_must = ((kinds == IDLE) & (unit < 0)) | (arrays.parts.is_firm > 0.0)
    return Rows(np.maximum(caps, 0.0) * ratio, worth, ratio, owed, unit, is_base, is_must, units)


def steps_of(site: Site, arrays: Problem, rows: Rows) -> Steps:
    """Return the steps of a site as the solvers of `sites.storage` take them.

    Notes
    -----
    Base power beyond the room is not drawn: all units that are on give up the same share of it, and miners may draw
    what is left of it as ordinary power. So an outage does not count as a stop. Exported power earns the resale price
    or the market price, if that is lower.
    """
    limit = arrays.hours.limit_mw
    battery = site.battery or NO_BATTERY
    free = ~rows.is_must & ~(rows.is_base & (arrays.parts.kind == IDLE))
    must = np.minimum(rows.cap_mw[rows.is_must].sum(axis=0), limit)
    base = np.zeros((len(rows.units), limit.size))
    base_worth = np.zeros_like(base)
    base_rows = np.flatnonzero(rows.is_base)
    base[rows.unit[base_rows]] = rows.cap_mw[base_rows]
    base_worth[rows.unit[base_rows]] = rows.worth[base_rows]
    whole = base.sum(axis=0)
    base *= np.minimum(1.0, np.divide(limit - must, whole, out=np.ones_like(whole), where=whole > 0.0))
    cap = rows.cap_mw.copy()
    cap[base_rows] -= base[rows.unit[base_rows]]
    near, far = prices_of(arrays)
    exported = export_price(arrays)
    within = np.minimum(arrays.contract_mw, limit)
    room = np.stack([limit if battery.may_export else np.zeros_like(limit), within, limit - within])
    day = arrays.how // 24
    terms = [block.starts for block in rows.units if block.starts is not None]
    up, down, lost, start_usd = start_arrays(terms, arrays.step_h)
    return Steps(
        worth=rows.worth[free],
        cap_mw=np.maximum(cap[free], 0.0),
        unit=rows.unit[free],
        must_mw=must,
        price=np.stack([exported, near, far]),
        room_mw=room,
        base_mw=base,
        base_worth=base_worth,
        up=up,
        down=down,
        lost_frac=lost,
        start_usd=start_usd,
        month=arrays.month,
        charges_usd_per_mw=arrays.charges_usd_per_mw,
        day=np.concatenate([[0], np.cumsum(day[1:] != day[:-1])]),
        step_h=float(arrays.step_h),
    )


def export_price(arrays: Problem) -> Floats:
    """Return what power that is fed into the grid earns [USD/MWh meter], [T]."""
    hour = arrays.hours
    quoted: Floats = np.minimum(hour.resale_usd_per_mwh, hour.spot_usd_per_mwh)
    exported: Floats = np.minimum(quoted, prices_of(arrays)[0])
    return exported


def prices_of(arrays: Problem) -> tuple[Floats, Floats]:
    """Return the prices of power within the contract and beyond it [USD/MWh meter], each [T]."""
    hour = arrays.hours
    resale = resale_price(hour.resale_usd_per_mwh)
    near, far = power_prices(hour.spot_usd_per_mwh, resale, hour.adder_usd_per_mwh, hour.forgone_usd_per_mwh)
    return near, far


class Case(NamedTuple):
    """A site, its steps, and the plan for them."""

    site: Site
    arrays: Problem
    rows: Rows
    steps: Steps
    plan: Stored
    factors: PartFactors
