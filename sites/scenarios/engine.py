"""The scenario engine: the sums of each site's year in every scenario.

No array of scenarios x hours exists: tiles of scenarios run through the hours of a site and are added up.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError, shown
from sites.dispatch.columns import REVENUE_USD, ROW_SUMS, TOTAL_SUMS, UNITS
from sites.memory import free_bytes
from sites.scenarios.case import SiteCase, place_of, site_case, tabulate
from sites.scenarios.draws import Run, common_shocks, factors_of
from sites.scenarios.stored import stored_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.model import Site
    from sites.scenarios.model import ScenarioModel

    Sums = tuple[Floats, Floats]

__all__ = [
    "FleetRun",
    "Run",
    "Shard",
    "SiteCase",
    "check_scenarios",
    "fleet_cases",
    "local",
    "run_fleet",
    "run_shard",
    "site_case",
    "tabulate",
]

LANES = 8
TILE = 256
SHARD = 2048
MOST_SCENARIOS = 1 << 24
COPIES = 16  # of a metric over all scenarios, while it is put together and ranked


@dataclass(frozen=True, slots=True)
class Shard:
    """A piece of a run: scenarios [first, first + count) of one site's year."""

    site: int  # index of the case
    year: int  # from 0, the first
    first: int  # first scenario
    count: int  # number of scenarios


def check_scenarios(count: object) -> int:
    """Return the number of scenarios.

    Raises
    ------
    InputError
        The number is not a whole number of 1 to 2^24.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_SCENARIOS:
        raise InputError(f"scenarios: expected a whole number of 1 to {MOST_SCENARIOS:,}, got {shown(count)}")
    return count


def run_shard(case: SiteCase, run: Run, first: int, count: int, shocks: Floats | None = None) -> Sums:
    """Add up one site's year in scenarios [first, first + count).

    Parameters
    ----------
    case, run
        The site's year, and the run.
    first, count
        Range of scenarios.
    shocks
        common_shocks of [first, first + count rounded up to eights); drawn if None.

    Returns
    -------
    rows, totals
        As FleetRun.rows and FleetRun.totals of one case, shapes [B, 4, count] and [4, count].

    Notes
    -----
    The bits depend on run, site and scenario alone, not on where a shard begins or ends.
    """
    from sites.scenarios.kernels import tile as kernel

    hours = kernel.SiteHours(
        case.table, case.bounds, case.blocks, case.charges, case.contract_mw,
        case.programme, case.enrolled_mw, case.ready_usd_per_mw_hour,
    )  # fmt: skip
    blocks = case.blocks.shape[0]
    padded = -(-count // LANES) * LANES
    rows = np.zeros((blocks, ROW_SUMS, padded))
    totals = np.zeros((TOTAL_SUMS, padded))
    for begin in range(0, padded, TILE):
        lanes = slice(begin, min(begin + TILE, padded))
        width = lanes.stop - begin
        here = None if shocks is None or shocks.shape[2] < padded else np.ascontiguousarray(shocks[:, :, lanes])
        factors = factors_of(case, run, first + begin, width, here)
        if case.stored is not None:
            until = min(begin + width, count)  # no scenario more than is asked for: each takes a while
            own = stored_sums(case.stored, factors, until - begin)
            rows[:, :, begin:until], totals[:, begin:until] = own
            continue
        tile_rows = np.zeros((blocks, ROW_SUMS, width))
        tile_totals = np.zeros((TOTAL_SUMS, width))
        kernel.run_tile(hours, factors, tile_rows, tile_totals)
        rows[:, :, lanes], totals[:, lanes] = tile_rows, tile_totals
    return rows[:, :, :count], totals[:, :count]


Executor = Callable[["Sequence[SiteCase]", Run, "Sequence[Shard]"], "Iterable[tuple[Shard, Sums]]"]


@dataclass(frozen=True, slots=True)
class FleetRun:
    """The sums of a fleet's sites in every scenario of a run."""

    cases: tuple[SiteCase, ...]
    run: Run
    scenarios: int  # S, the number of scenarios
    rows: tuple[Floats, ...]  # of each case: METER_MWH, REVENUE_USD, UNITS (miners: BTC), SHORT_MWH, shape [B, 4, S]
    totals: tuple[Floats, ...]  # of each case: ENERGY_USD, CHARGE_USD, PENALTY_USD, CREDITS_USD, shape [4, S]


def fleet_cases(sites: Sequence[Site], model: ScenarioModel, *, years: Sequence[int] = (0,)) -> list[SiteCase]:
    """Return the cases of every site and year, the sites of one year together.

    Raises
    ------
    InputError
        Two sites have the same name, from which their random numbers follow.
    """
    seen: dict[int, str] = {}
    for site in sites:
        place = place_of(site.name)
        if place in seen:
            raise InputError(f"fleet: expected every site's name once, got {shown(site.name)} twice")
        seen[place] = site.name
    return [site_case(site, model, year=year) for year in years for site in sites]


def run_fleet(
    cases: Sequence[SiteCase],
    run: Run,
    scenarios: int,
    *,
    execute: Executor | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> FleetRun:
    """Run every case through every scenario.

    Parameters
    ----------
    cases, run, scenarios
        Years of sites, the run, and the number of scenarios.
    execute
        Executor of the shards; this machine's cores if None. The result's bits do not depend on it.
    on_progress
        Called with the share of shards that is done.

    Raises
    ------
    InputError
        The number of scenarios is invalid, or memory cannot hold so many.
    RuntimeError
        The executor ended with shards missing. The message names them.
    """
    count = check_scenarios(scenarios)
    _check_room(cases, count)
    shards = [
        Shard(index, case.year, first, min(SHARD, count - first))
        for first in range(0, count, SHARD)
        for index, case in enumerate(cases)
    ]
    rows = tuple(np.zeros((case.blocks.shape[0], ROW_SUMS, count)) for case in cases)
    totals = tuple(np.zeros((TOTAL_SUMS, count)) for _ in cases)
    waiting = set(shards)
    for shard, (row, total) in (execute or local())(cases, run, shards):
        if shard not in waiting:
            continue
        rows[shard.site][:, :, shard.first : shard.first + shard.count] = row
        totals[shard.site][:, shard.first : shard.first + shard.count] = total
        waiting.remove(shard)
        if on_progress is not None:
            on_progress(1.0 - len(waiting) / len(shards))
    if waiting:
        raise RuntimeError(f"fleet: {missing_text(cases, waiting)}")
    for case, row in zip(cases, rows, strict=True):
        row[:, REVENUE_USD] += case.rents[:, :1]
        row[:, UNITS] += case.rents[:, 1:]
    return FleetRun(tuple(cases), run, count, rows, totals)


def _check_room(cases: Sequence[SiteCase], count: int) -> None:
    """Raise InputError where the sums of a run, and one metric's copies of them, would not fit into memory."""
    each = 8 * (sum(case.blocks.shape[0] * ROW_SUMS + TOTAL_SUMS for case in cases) + COPIES)
    free = free_bytes()
    if free is not None and each * count > free:
        raise InputError(
            f"scenarios: expected at most {free // each:,} of {len(cases)} site-years in the {free / 1e9:.1f} GB of "
            f"memory that are free, got {count:,}"
        )


def missing_text(cases: Sequence[SiteCase], shards: Iterable[Shard]) -> str:
    """Return a text about missing shards: site, year and scenarios of the first few."""
    listed = sorted(shards, key=lambda shard: (shard.site, shard.first))
    named = "; ".join(
        f"{cases[shard.site].name!r} year {shard.year} scenarios {shard.first} to {shard.first + shard.count - 1}"
        for shard in listed[:4]
    )
    return f"{len(listed)} shards missing: {named}{'; ...' if len(listed) > 4 else ''}"


class _Shocks:
    """The shocks that all sites share in one range of scenarios: drawn by the first user, dropped after the last.

    So a run holds the shocks of the few ranges that it works at, however many scenarios it has.
    """

    def __init__(self, users: int) -> None:
        self._users = users
        self._drawn: Floats | None = None
        self._lock = Lock()

    def take(self, draw: Callable[[], Floats]) -> Floats:
        with self._lock:
            drawn = draw() if self._drawn is None else self._drawn
            self._users -= 1
            self._drawn = drawn if self._users else None
            return drawn


def local(threads: int | None = None) -> Executor:
    """Return an executor on this machine's cores: one shard a thread at a time."""
    workers = threads if threads is not None else len(os.sched_getaffinity(0))

    def execute(cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Sums]]:
        months = max(case.first_month + case.months for case in cases)
        users = Counter((shard.first, shard.count) for shard in shards)
        shocks = {span: _Shocks(count) for span, count in users.items()}

        def work(shard: Shard) -> Sums:
            first, padded = shard.first, -(-shard.count // LANES) * LANES
            shared = shocks[shard.first, shard.count].take(lambda: common_shocks(run, first, padded, months))
            return run_shard(cases[shard.site], run, first, shard.count, shared)

        with ThreadPoolExecutor(max_workers=workers) as pool:
            futures = {pool.submit(work, shard): shard for shard in shards}
            try:
                for future in as_completed(futures):
                    yield futures.pop(future), future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    return execute
