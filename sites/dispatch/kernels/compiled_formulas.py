"""The formulas of `formulas` for compiled code (it imports Numba), and the rows and hours that they take."""

from __future__ import annotations

from numba import types
from numba.extending import overload, register_jitable

from sites.dispatch.columns import BLOCK, HOUR, Blocks, Hours
from sites.dispatch.formulas import FORMULAS, larger, smaller
from sites.jit import site_njit_inlined

for _formula in FORMULAS:
    register_jitable(forceinline=True)(_formula)


@overload(smaller, jit_options={"forceinline": True})
def _smaller(x, y):
    if isinstance(x, types.Float) and isinstance(y, types.Float):
        return lambda x, y: min(x, y)  # noqa: PLW0108 - Numba wants a Python function
    return None


@overload(larger, jit_options={"forceinline": True})
def _larger(x, y):
    if isinstance(x, types.Float) and isinstance(y, types.Float):
        return lambda x, y: max(x, y)  # noqa: PLW0108 - likewise
    return None


@site_njit_inlined
def block_of(blocks, k):
    """Return row k of Problem.blocks by name."""
    return Blocks(
        kind=blocks[k, BLOCK.kind],
        capacity_mw=blocks[k, BLOCK.capacity_mw],
        worth=blocks[k, BLOCK.worth],
        pays_fees=blocks[k, BLOCK.pays_fees],
        demand_mw=blocks[k, BLOCK.demand_mw],
        growth_log_per_hour=blocks[k, BLOCK.growth_log_per_hour],
        promised_frac=blocks[k, BLOCK.promised_frac],
        profile=blocks[k, BLOCK.profile],
        passes_energy=blocks[k, BLOCK.passes_energy],
        penalty_usd_per_mwh=blocks[k, BLOCK.penalty_usd_per_mwh],
        units_per_mwh=blocks[k, BLOCK.units_per_mwh],
    )


@site_njit_inlined
def hour_of(series, t):
    """Return hour t of Problem.series by name."""
    return Hours(
        spot_usd_per_mwh=series[HOUR.spot_usd_per_mwh, t],
        adder_usd_per_mwh=series[HOUR.adder_usd_per_mwh, t],
        resale_usd_per_mwh=series[HOUR.resale_usd_per_mwh, t],
        limit_mw=series[HOUR.limit_mw, t],
        mining_capacity_frac=series[HOUR.mining_capacity_frac, t],
        gpu_capacity_frac=series[HOUR.gpu_capacity_frac, t],
        mining_meter_per_device=series[HOUR.mining_meter_per_device, t],
        gpu_meter_per_device=series[HOUR.gpu_meter_per_device, t],
        subsidy_usd_per_hash=series[HOUR.subsidy_usd_per_hash, t],
        fees_usd_per_hash=series[HOUR.fees_usd_per_hash, t],
        credit_usd_per_mwh=series[HOUR.credit_usd_per_mwh, t],
    )
