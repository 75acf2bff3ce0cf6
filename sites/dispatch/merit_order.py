"""Dispatch by merit order: the problem of one site's hours as plain arrays, and its solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

SERIES_ROWS = (
    "spot_usd_per_mwh",
    "adder_usd_per_mwh",
    "resale_usd_per_mwh",
    "limit_mw",
    "mining_capacity_frac",
    "gpu_capacity_frac",
    "mining_meter_per_device",
    "gpu_meter_per_device",
    "subsidy_usd_per_hash",
    "fees_usd_per_hash",
    "credit_usd_per_mwh",
)
BLOCK_COLUMNS = (
    "kind",
    "capacity_mw",
    "worth",
    "pays_fees",
    "demand_mw",
    "growth_log_per_hour",
    "promised_frac",
    "profile",
    "passes_energy",
    "penalty_usd_per_mwh",
    "units_per_mwh",
)
KINDS = ("mining", "idle", "sla", "on-demand")
REASONS = (
    "runs all there is, worth above the price of power",
    "price of power above worth",
    "interconnect full",
    "curtailment event",
    "outage",
    "demand charge caps the month's peak",
    "resale pays more",
    "nothing to run",
    "idle power of what is switched on",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """The hours of one site.

    how: [T] hour of the local week, 0 to 167. month: [T] billing month, counted from 0 without gaps.
    series: [11, T], rows as SERIES_ROWS: prices [USD/MWh at the meter], limit [MW at the meter], capacity as a share,
    meter MW per device MW (PUE over what the lines deliver), USD per hash. blocks: [B, 11], columns as BLOCK_COLUMNS:
    capacity and demand [MW device], worth [hash/MWh for mining, USD/MWh for inference, per device MWh].
    profiles: [P, 168] demand over its mean. charges_usd_per_mw: [M] demand charge of each month's peak.
    contract_mw, contract_usd_per_mwh: take-or-pay power, resold at the resale price where that pays more, and left
    untaken where resale would cost something.
    event: [T] 1 in a curtailment event, 2 in an outage, else 0.
    """

    how: Integers
    month: Integers
    series: Floats
    blocks: Floats
    profiles: Floats
    charges_usd_per_mw: Floats
    contract_mw: float
    contract_usd_per_mwh: float
    event: Integers


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What the merit order does with a Problem.

    blocks: [B, 6] per block: device MWh, meter MWh, revenue USD, energy USD, promised but not served device MWh, units.
    bought_mwh, bought_usd, sold_mwh, sold_usd: energy bought on the spot and resold from the contract.
    adder_usd: delivery and coincident peaks. forgone_usd: curtailment credit on what was drawn in events.
    penalty_usd: for promised work not served. drawn_mwh: at the meter.
    peaks_mw: [M] each month's peak. demand_charge_usd: over all months. resale_hours: hours in which power was resold.
    mw: [T, B] device MW, why: [T, B] index into REASONS, price_usd_per_mwh: [T] the power price that decided; each
    is None where the hours were not asked for.
    """

    blocks: Floats
    bought_mwh: float
    bought_usd: float
    sold_mwh: float
    sold_usd: float
    adder_usd: float
    forgone_usd: float
    penalty_usd: float
    drawn_mwh: float
    contract_usd: float
    resale_hours: int
    peaks_mw: Floats
    demand_charge_usd: float
    mw: Floats | None
    why: NDArray[np.int8] | None
    price_usd_per_mwh: Floats | None

    @property
    def energy_usd(self) -> float:
        """What power cost [USD]: spot and contract, less resale, with adders and demand charge."""
        return self.bought_usd + self.contract_usd - self.sold_usd + self.adder_usd + self.demand_charge_usd

    @property
    def net_usd(self) -> float:
        """Revenue less power, penalties and forgone credits [USD]: what the merit order makes as large as it can be."""
        return float(self.blocks[:, 2].sum()) - self.energy_usd - self.penalty_usd - self.forgone_usd


def dispatch(problem: Problem, *, hourly: bool = False) -> Dispatch:
    """Run every hour's blocks in order of worth per metered MWh while that exceeds the price of power.

    Equals the linear programme with idle power, promised minimum, resale and demand charge as blocks of their own.

    hourly: also return what each block does in each hour, and why.
    Raises InputError when shapes do not agree or a number is missing.
    """
    import numpy as np

    from sites.dispatch import kernel

    _check(problem)
    hours, count = problem.how.shape[0], problem.blocks.shape[0]
    sums = np.zeros((count, kernel.BLOCK_SUMS))
    totals = np.zeros(kernel.SITE_SUMS)
    peaks = np.zeros(problem.charges_usd_per_mw.shape[0])
    shape = (hours, count) if hourly else (0, count)
    mw, why = np.zeros(shape), np.zeros(shape, np.int8)
    price = np.zeros(hours if hourly else 0)
    kernel.dispatch_year(
        problem.how,
        problem.month,
        problem.series,
        problem.blocks,
        problem.profiles,
        float(problem.contract_mw),
        float(problem.contract_usd_per_mwh),
        problem.charges_usd_per_mw,
        problem.event,
        peaks,
        sums,
        totals,
        mw,
        why,
        price,
    )
    return Dispatch(
        blocks=sums,
        bought_mwh=float(totals[kernel.BOUGHT_MWH]),
        bought_usd=float(totals[kernel.BOUGHT_USD]),
        sold_mwh=float(totals[kernel.SOLD_MWH]),
        sold_usd=float(totals[kernel.SOLD_USD]),
        adder_usd=float(totals[kernel.ADDER_USD]),
        forgone_usd=float(totals[kernel.FORGONE_USD]),
        penalty_usd=float(totals[kernel.PENALTY_USD]),
        drawn_mwh=float(totals[kernel.DRAWN_MWH]),
        contract_usd=problem.contract_mw * problem.contract_usd_per_mwh * hours,
        resale_hours=int(totals[kernel.RESALE_HOURS]),
        peaks_mw=peaks,
        demand_charge_usd=float(peaks @ problem.charges_usd_per_mw),
        mw=mw if hourly else None,
        why=why if hourly else None,
        price_usd_per_mwh=price if hourly else None,
    )


def _check(problem: Problem) -> None:
    import numpy as np

    hours = problem.how.shape[0]
    wanted: dict[str, tuple[Any, tuple[int, ...]]] = {
        "series": (problem.series, (len(SERIES_ROWS), hours)),
        "month": (problem.month, (hours,)),
        "event": (problem.event, (hours,)),
        "blocks": (problem.blocks, (problem.blocks.shape[0], len(BLOCK_COLUMNS))),
    }
    for name, (array, shape) in wanted.items():
        if array.shape != shape:
            raise InputError(f"dispatch: {name}: expected shape {shape}, got {array.shape}")
    bad = ~np.isfinite(problem.series).all(axis=1)
    if bad.any():
        raise InputError(f"dispatch: {SERIES_ROWS[int(bad.argmax())]}: expected finite numbers, got one that is not")
    if not np.isfinite(problem.blocks).all():
        raise InputError("dispatch: blocks: expected finite numbers, got one that is not")
