"""Dispatch by merit order: the problem of one site's hours as plain arrays, and its solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import BLOCK, SUM, Blocks, BlockSums, HourDetail, HourLoad, Hours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sites.arrays import Floats, Integers


class Programme(NamedTuple):
    """A curtailment programme; its arrays are empty for a site that is not enrolled in one."""

    load_limit_mw: Floats  # [MW meter] that may be drawn if no event is called, shape [T]
    credit_usd_per_mwh: Floats  # [USD/MWh meter] for what is not drawn, 0 outside events, shape [T]
    enrolled_mw: float  # [MW meter]
    ready_usd_per_mw_hour: float  # [USD/MWh meter] for load that can be given up


NO_PROGRAMME = Programme(np.zeros(0), np.zeros(0), 0.0, 0.0)
NO_PATHS: Floats = np.zeros((0, 0))


class Problem(NamedTuple):
    """The steps (hours, unless step_h says otherwise) and blocks of one site."""

    how: Integers  # hour of the local week, 0 to 167, shape [T]
    month: Integers  # billing month, counted from 0 without gaps, shape [T]
    series: Floats  # rows as columns.Hours, shape [11, T]
    blocks: Floats  # columns as columns.Blocks, shape [B, 11]
    profiles: Floats  # demand in each hour of the week over its mean, shape [P, 168]
    charges_usd_per_mw: Floats  # [USD/MW meter] demand charge on each month's peak, shape [M]
    contract_mw: float  # [MW meter] take-or-pay power; resold where that pays more, left untaken where resale costs
    contract_usd_per_mwh: float  # [USD/MWh]
    event: Integers  # NO_EVENT, CURTAILED or OUT, shape [T]
    programme: Programme = NO_PROGRAMME
    step_h: float = 1.0  # [h] length of a step
    price_paths: Floats = NO_PATHS  # prices of work over their means, shape [paths, T]

    @property
    def hours(self) -> Hours[Floats]:
        """The rows of series by name, each of shape [T]: views, not copies."""
        return Hours._make(self.series)

    @property
    def parts(self) -> Blocks[Floats]:
        """The columns of blocks by name, each of shape [B]: views, not copies."""
        return Blocks._make(self.blocks.T)

    @property
    def over_mean(self) -> Floats:
        """Price of each block's work over its mean of the year, 1 where it is constant, shape [B, T]."""
        rows = np.vstack([np.ones((1, self.how.size)), *self.price_paths[:, None]])
        return rows[self.parts.price_path.astype(np.int64)]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What the merit order does with a Problem."""

    blocks: Floats  # sums of each block, columns as columns.BlockSums, shape [B, 6]
    bought_mwh: float  # [MWh] bought on the spot market
    bought_usd: float  # [USD]
    sold_mwh: float  # [MWh] resold from the contract
    sold_usd: float  # [USD]
    adder_usd: float  # [USD] delivery and coincident peaks
    forgone_usd: float  # [USD] curtailment credit on what was drawn in events, or a peak charge that it risked
    penalty_usd: float  # [USD] for promised work that was not served
    drawn_mwh: float  # [MWh meter]
    contract_usd: float  # [USD] for the contracted power, taken or not
    resale_hours: float  # [h] in which power was resold
    peaks_mw: Floats  # [MW meter] each month's peak, shape [M]
    demand_charge_usd: float  # [USD] over all months
    mw: Floats | None  # [MW device], shape [T, B]; this and the next two are None where only sums are kept
    why: NDArray[np.int8] | None  # index into columns.REASONS, shape [T, B]
    price_usd_per_mwh: Floats | None  # [USD/MWh meter] the power price that decided, shape [T]
    load: HourLoad  # draw and load of each hour; empty without a curtailment programme
    export_usd: float = 0.0  # [USD] paid for what a battery feeds into the grid

    @property
    def energy_usd(self) -> float:
        """Cost of power [USD]: spot and contract, less resale and export, with adders and demand charge."""
        bought_usd = self.bought_usd + self.contract_usd - self.sold_usd + self.adder_usd + self.demand_charge_usd
        return bought_usd - self.export_usd

    @property
    def net_usd(self) -> float:
        """Revenue less power, penalties and forgone credits [USD], which the merit order maximises."""
        return float(self.blocks[:, SUM.revenue_usd].sum()) - self.energy_usd - self.penalty_usd - self.forgone_usd


def dispatch(problem: Problem, *, hourly: bool = False) -> Dispatch:
    """Run every step's blocks in order of worth per metered MWh while that exceeds the price of power.

    Parameters
    ----------
    problem
        The hours and blocks of a site.
    hourly
        Also return what each block does in each step, and why.

    Raises
    ------
    InputError
        Shapes do not agree, or a number is missing.

    Notes
    -----
    The result equals the linear programme with idle power, promised minimum, resale and demand charge as blocks.
    """
    from sites.dispatch.kernels.year import dispatch_year

    _check(problem)
    steps, count, step_h = problem.how.shape[0], problem.blocks.shape[0], float(problem.step_h)
    sums = np.zeros((count, len(BlockSums._fields)))
    peaks = np.zeros(problem.charges_usd_per_mw.shape[0])
    shape = (steps, count) if hourly else (0, count)
    detail = HourDetail(np.zeros(shape), np.zeros(shape, np.int8), np.zeros(shape[0]))
    whole = _in_steps(problem)
    enrolled_hours = problem.programme.load_limit_mw.shape[0]
    load = HourLoad(*(np.zeros(enrolled_hours) for _ in HourLoad._fields))
    totals = dispatch_year(whole, peaks, sums, detail, load)
    return Dispatch(
        blocks=sums * step_h,
        **{name: total * step_h for name, total in totals._asdict().items()},
        contract_usd=problem.contract_mw * problem.contract_usd_per_mwh * steps * step_h,
        peaks_mw=peaks,
        demand_charge_usd=float(peaks @ problem.charges_usd_per_mw),
        mw=detail.mw if hourly else None,
        why=detail.why if hourly else None,
        price_usd_per_mwh=detail.price_usd_per_mwh if hourly else None,
        load=load,
    )


def _in_steps(problem: Problem) -> Problem:
    """Return a problem whose hour is its step: growth per step, and charges for what a MW earns in a step.

    The compiled code then sums MW over steps, which are MWh once multiplied by the length of a step.
    """
    blocks = problem.blocks.copy()
    blocks[:, BLOCK.growth_log_per_hour] *= problem.step_h
    return problem._replace(
        blocks=blocks,
        charges_usd_per_mw=problem.charges_usd_per_mw / problem.step_h,
        contract_mw=float(problem.contract_mw),
        contract_usd_per_mwh=float(problem.contract_usd_per_mwh),
        step_h=float(problem.step_h),
    )


def _check(problem: Problem) -> None:
    hours = problem.how.shape[0]
    shapes = {
        "series": (problem.series, (len(Hours._fields), hours)),
        "month": (problem.month, (hours,)),
        "event": (problem.event, (hours,)),
        "price_paths": (problem.price_paths, (problem.price_paths.shape[0], hours if problem.price_paths.size else 0)),
        "blocks": (problem.blocks, (problem.blocks.shape[0], len(Blocks._fields))),
    }
    for name, (array, shape) in shapes.items():
        if array.shape != shape:
            raise InputError(f"dispatch: {name}: expected shape {shape}, got {array.shape}")
    bad = ~np.isfinite(problem.series).all(axis=1)
    if bad.any():
        raise InputError(f"dispatch: {Hours._fields[int(bad.argmax())]}: expected finite numbers, got one that is not")
    if not np.isfinite(problem.blocks).all():
        raise InputError("dispatch: blocks: expected finite numbers, got one that is not")
