"""A site's year before any scenario is drawn: the table of its hours that the engine runs through."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.dispatch.columns import (
    BLOCK,
    CAP,
    CREDIT,
    FORGONE,
    LIMIT,
    LOAD_LIMIT,
    MONTH_BOUNDS,
    ON_DEMAND,
    SLA,
    TABLE_BLOCK,
    TABLE_HOUR,
)
from sites.dispatch.later_year import later_year
from sites.dispatch.problem import labels, problem
from sites.dispatch.rents import rent
from sites.scenarios.model import STEPS_PER_YEAR, Z_OF_95
from sites.scenarios.stored import check_stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sites.arrays import Floats, Integers
    from sites.dispatch.merit_order import Problem
    from sites.dispatch.problem import Label
    from sites.market.device_rate import DeviceRate
    from sites.model import InferenceBlock, MiningBlock, Site
    from sites.scenarios.model import ScenarioModel

DEVICE_SPREADS = 6.0


@dataclass(frozen=True)
class SiteCase:
    """One site's year before any scenario, as plain arrays that can be sent to another machine."""

    name: str
    place: int  # number of the site in random numbers
    year: int  # 0 is the site's own
    hours: int
    table: Floats  # each month's plain hours first; columns in dispatch.columns, shape [T, 5 + 4 B]
    bounds: Integers  # first hour, first coupled hour and end of each month, shape [M, 3]
    blocks: Floats  # as Problem.blocks, shape [B, 11]
    charges: Floats  # [USD/MW meter] demand charge on each month's peak, shape [M]
    contract_mw: float  # [MW meter]
    contract_usd: float  # [USD] for the contracted power, taken or not
    programme: Floats  # columns LOAD_LIMIT and CREDIT in the order of the table, shape [T, 2]; [0, 2] without one
    enrolled_mw: float  # [MW meter]
    ready_usd_per_mw_hour: float  # [USD/MWh meter]
    fixed_usd: float  # [USD]
    btc_usd: float  # [USD/BTC]
    delivered_frac: float  # share of metered energy that reaches the buildings
    outage_frac: float  # mean share of capacity that does not run
    most_available: float  # largest factor on the share that runs
    paid_per: Integers  # code of how each block is paid: paths.PER_TOKEN, ..., shape [B]
    device: Integers  # row of `devices` of each block, shape [B]
    devices: tuple[tuple[int, float, float], ...]  # number in random numbers, spread of the rate, spread of the power
    rents: Floats  # rent [USD] and its kW-months of each block, due in every scenario, shape [B, 2]
    labels: tuple[Label, ...]
    first_month: int = 0  # month of the horizon in which it begins, from which its random paths go on
    stored: Site | None = None  # a site with a battery or start costs, whose years are dispatched one by one

    @property
    def months(self) -> int:
        """Billing months of the year."""
        return int(self.bounds.shape[0])


def place_of(name: str) -> int:
    """Return the number of a name in random numbers, the same in every run and process."""
    return zlib.crc32(name.encode())


def site_case(site: Site, model: ScenarioModel, *, year: int = 0) -> SiteCase:
    """Build a year of a site before any scenario, as `later_year` makes it.

    Parameters
    ----------
    site, model
        The site, and the model of its uncertain inputs.
    year
        0 for the site's own year. A later one is that of `later_year`: the same weather and prices on its own calendar;
        difficulty, halving, ageing and growth of demand continue.
    """
    return part_case(later_year(site, year) if year else site, model, year=year, first_month=STEPS_PER_YEAR * year)


def part_case(site: Site, model: ScenarioModel, *, year: int, first_month: int) -> SiteCase:
    """Build a year or a part of a year of a horizon before any scenario.

    Parameters
    ----------
    site, model
        The site in that time, and the model of its uncertain inputs.
    year, first_month
        Number of the year, and month of the horizon in which the time begins, both from 0.
    """
    from sites.scenarios.kernels import paths as drawn

    site.check_hourly("scenarios")
    check_stored(site)
    keys = [] if site.btc_path_usd is None else ["market.btc_usd"]
    keys += [
        f"inference[{block.name}].usd_per_gpu_hour" for block in site.inference if block.price_over_mean is not None
    ]
    if keys:
        raise InputError(
            f"scenarios: expected one number as {keys[0]} of site {site.name!r}, from which its uncertain paths begin, "
            "got a series"
        )
    arrays = problem(site)
    rows = labels(site)
    sources: dict[str, MiningBlock | InferenceBlock] = {block.name: block for block in site.mining}
    sources |= {block.name: block for block in site.inference}
    spread_of = {name: (block.rate.name, *_spreads(block.rate, model)) for name, block in sources.items()}
    devices = list(dict.fromkeys(spread_of.values()))  # blocks of one device and unequal size have unequal spreads
    best = max(block.availability_frac for block in sources.values())
    most_available = 1.0 / best if best > 0 else 1.0
    widest = most_available * max(1.0 + DEVICE_SPREADS * power for _, _, power in devices)
    table, bounds, programme = tabulate(arrays, widest)
    installed = np.array([site_block.count * (site_block.rate.power_w or 0.0) for site_block in sources.values()])
    running = np.array([site_block.availability_frac for site_block in sources.values()])
    kinds = {"hash": drawn.PER_HASH, "token": drawn.PER_TOKEN, "gpu_hour": drawn.PER_GPU_HOUR}
    return SiteCase(
        name=site.name,
        place=place_of(site.name),
        year=year,
        hours=site.hours,
        table=table,
        bounds=bounds,
        blocks=arrays.blocks,
        charges=arrays.charges_usd_per_mw,
        contract_mw=float(arrays.contract_mw),
        contract_usd=arrays.contract_mw * arrays.contract_usd_per_mwh * site.hours,
        programme=programme,
        enrolled_mw=arrays.programme.enrolled_mw,
        ready_usd_per_mw_hour=arrays.programme.ready_usd_per_mw_hour,
        fixed_usd=site.fixed_usd_per_year,
        btc_usd=site.btc_usd,
        delivered_frac=site.delivered_frac,
        outage_frac=float(1.0 - (installed * running).sum() / installed.sum()),
        most_available=most_available,
        paid_per=np.array([kinds.get(row.unit, drawn.PER_KW_MONTH) for row in rows]),
        device=np.array([devices.index(spread_of[row.name]) for row in rows]),
        devices=tuple((place_of(name), rate, power) for name, rate, power in devices),
        rents=_rents(site, rows),
        labels=rows,
        first_month=first_month,
        stored=site if site.has_storage else None,
    )


def _rents(site: Site, rows: Sequence[Label]) -> Floats:
    """Return the rent [USD] of each row and its kW-months, on the last row of a block, shape [B, 2]."""
    rents = np.zeros((len(rows), 2))
    for block in site.inference:
        last = max(index for index, row in enumerate(rows) if row.name == block.name)
        rents[last] = rent(site, block)
    return rents


def tabulate(arrays: Problem, widest: float = 1.0) -> tuple[Floats, Integers, Floats]:
    """Write a Problem as the table, bounds and programme of a SiteCase.

    Parameters
    ----------
    arrays
        The hours and blocks of a site.
    widest
        Largest factor on capacity in any scenario.
    """
    from sites.scenarios.kernels import tile as kernel

    months, hours = arrays.charges_usd_per_mw.shape[0], arrays.how.shape[0]
    firsts = np.searchsorted(arrays.month, np.arange(months + 1)).astype(np.int64)
    table = np.zeros((hours, TABLE_HOUR + TABLE_BLOCK * arrays.blocks.shape[0]))
    kernel.fill_table(arrays, firsts, table)
    charge = arrays.charges_usd_per_mw[arrays.month]
    coupled = _coupled_hours(table, arrays, charge, widest)
    bounds = np.empty((months, MONTH_BOUNDS), np.int64)
    order = np.arange(hours)
    for m in range(months):
        span = slice(firsts[m], firsts[m + 1])
        here = coupled[span]
        bounds[m] = firsts[m], firsts[m] + int((~here).sum()), firsts[m + 1]
        order[span] = np.concatenate([order[span][~here], order[span][here]])
    load_limit, credit = arrays.programme.load_limit_mw, arrays.programme.credit_usd_per_mwh
    programme = np.empty((load_limit.size, 2))
    programme[:, LOAD_LIMIT], programme[:, CREDIT] = load_limit, credit
    return np.ascontiguousarray(table[order]), bounds, programme[order] if programme.size else programme


def _spreads(rate: DeviceRate, model: ScenarioModel) -> tuple[float, float]:
    if not model.measurement:
        return 0.0, 0.0
    return _spread(rate.rate_interval_per_s, rate.rate_per_s), _spread(rate.power_interval_w, rate.power_w)


def _spread(interval: tuple[float, float] | None, value: float | None) -> float:
    if interval is None or not value:
        return 0.0
    return (interval[1] - interval[0]) / (2.0 * Z_OF_95 * value)


def _coupled_hours(table: Floats, arrays: Problem, charge: Floats, widest: float) -> NDArray[np.bool_]:
    """Return the hours in which blocks can compete for power in some scenario, or whose total draw is paid, [T].

    The site alone decides it.
    """
    blocks = arrays.blocks
    most = np.zeros(table.shape[0])
    counted: set[tuple[float, ...]] = set()
    kinds = blocks[:, BLOCK.kind]
    machines = [BLOCK.capacity_mw, BLOCK.demand_mw, BLOCK.profile]
    for k in range(blocks.shape[0]):
        key = tuple(blocks[k, machines]) if kinds[k] in {SLA, ON_DEMAND} else ()
        if key and key in counted and kinds[k] == ON_DEMAND and kinds[k - 1] == SLA:
            continue  # promised and on-demand work share the same machines
        counted.add(key)
        most += table[:, TABLE_HOUR + TABLE_BLOCK * k + CAP] * widest
    coupled: NDArray[np.bool_] = (
        (most > table[:, LIMIT])
        | (table[:, FORGONE] != 0.0)
        | (charge > 0.0)
        | (arrays.contract_mw > 0.0)
        | (arrays.programme.ready_usd_per_mw_hour > 0.0)
    )
    return coupled
