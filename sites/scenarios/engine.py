"""Many sites, hours and scenarios: each site's year in every scenario, added up as it goes.

Nothing of the size scenario x hour is ever held: tiles of scenarios stream through the hours of a site.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError, shown
from sites.dispatch.columns import ROW_SUMS, TOTAL_SUMS
from sites.scenarios.case import DEVICE_SPREADS, SiteCase, place_of, site_case, tabulate
from sites.scenarios.memory import free_bytes
from sites.scenarios.model import INPUT_NAMES, STEPS_PER_YEAR, ScenarioModel, correlation_factor, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sites.model import Site

    Floats = NDArray[np.float64]
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

    site: int
    year: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """What a run's random numbers hang on, and how the inputs vary."""

    seed: int
    model: ScenarioModel

    def __post_init__(self) -> None:  # noqa: D105
        if not (isinstance(self.seed, int) and 0 <= self.seed < 1 << 64):
            raise InputError.at("scenarios", "seed", expected="a whole number of 0 to 2^64 - 1", got=self.seed)


def check_scenarios(count: object) -> int:
    """Return the number of scenarios. Raises InputError unless it is a whole number of 1 to 2^24."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_SCENARIOS:
        raise InputError(f"scenarios: expected a whole number of 1 to {MOST_SCENARIOS:,}, got {shown(count)}")
    return count


def common_shocks(run: Run, first: int, count: int, months: int) -> Floats:
    """Draw the standard normals that all sites share in scenarios [first, first + count): [6, months, count]."""
    import numpy as np

    from sites.scenarios.kernels import paths as drawn

    given = run.model.correlation
    factor = np.eye(len(INPUT_NAMES)) if given is None else correlation_factor(given)
    shocks = np.empty((len(INPUT_NAMES), months, count))
    drawn.common_shocks(np.uint64(run.seed), first, factor, shocks)
    return shocks


def factors_of(case: SiteCase, run: Run, first: int, count: int, shocks: Floats | None = None) -> tuple[Floats, ...]:
    """Factors of a site's year in scenarios [first, first + count), drawn for them alone.

    shocks: common_shocks of these scenarios and at least these months, where they are at hand.
    Returns power [M, count], and worth, able, asked, units [B, M, count].
    """
    import numpy as np

    from sites.scenarios.kernels import paths as drawn

    path = steps(run.model, STEPS_PER_YEAR * case.year + case.months)
    if shocks is None:
        shocks = common_shocks(run, first, count, path.decay.shape[1])
    seed = np.uint64(run.seed)
    factors = np.empty((len(INPUT_NAMES), case.months, count))
    drawn.input_factors(
        seed, first, case.place, shocks, path.decay, path.spread, path.mean, path.share, case.outage_frac,
        case.most_available, np.empty(count), np.empty(count), factors,
    )  # fmt: skip
    rate, power = np.ones((len(case.devices), count)), np.ones((len(case.devices), count))
    for row, (place, rate_spread, power_spread) in enumerate(case.devices):
        if rate_spread > 0.0 or power_spread > 0.0:
            drawn.device_factors(seed, first, place, rate_spread, power_spread, DEVICE_SPREADS, rate[row], power[row])
    blocks = tuple(np.empty((case.blocks.shape[0], case.months, count)) for _ in range(4))
    drawn.block_factors(factors, case.paid_per, case.device, rate, power, case.btc_usd, *blocks)
    return (factors[drawn.POWER], *blocks)


def run_shard(case: SiteCase, run: Run, first: int, count: int, shocks: Floats | None = None) -> Sums:
    """Add up one site's year in scenarios [first, first + count): rows [B, 4, count] and totals [4, count].

    The bits depend on (run, site, scenario) alone, not on where a shard begins or ends.

    shocks: common_shocks of [first, first + count rounded up to eights) where they are at hand.
    """
    import numpy as np

    from sites.scenarios.kernels import tile as kernel

    blocks = case.blocks.shape[0]
    padded = -(-count // LANES) * LANES
    rows = np.zeros((blocks, ROW_SUMS, padded))
    totals = np.zeros((TOTAL_SUMS, padded))
    for begin in range(0, padded, TILE):
        lanes = slice(begin, min(begin + TILE, padded))
        width = lanes.stop - begin
        here = None if shocks is None or shocks.shape[2] < padded else np.ascontiguousarray(shocks[:, :, lanes])
        factors = factors_of(case, run, first + begin, width, here)
        tile_rows = np.zeros((blocks, ROW_SUMS, width))
        tile_totals = np.zeros((TOTAL_SUMS, width))
        kernel.run_tile(
            case.table, case.bounds, case.blocks, case.contract_mw, case.charges, *factors, tile_rows, tile_totals
        )
        rows[:, :, lanes], totals[:, lanes] = tile_rows, tile_totals
    return rows[:, :, :count], totals[:, :count]


Executor = Callable[["Sequence[SiteCase]", Run, "Sequence[Shard]"], "Iterable[tuple[Shard, Sums]]"]


@dataclass(frozen=True, slots=True)
class FleetRun:
    """What a fleet's sites do in every scenario of a run: sums, never hours.

    rows: for each case [B, 4, S] meter MWh, revenue USD, units (BTC or the block's own), short MWh; totals: for each
    case [4, S] energy without demand charge, demand charge, penalties, forgone credits, all USD.
    """

    cases: tuple[SiteCase, ...]
    run: Run
    scenarios: int
    rows: tuple[Floats, ...]
    totals: tuple[Floats, ...]


def fleet_cases(sites: Sequence[Site], model: ScenarioModel, *, years: Sequence[int] = (0,)) -> list[SiteCase]:
    """Cases of every site and year, the sites of one year together.

    Raises InputError when two sites have one name, on which their random numbers hang.
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

    execute: how shards are run; on this machine's cores where none is given. on_progress: told the share that is done.
    The result's bits do not depend on either.

    Raises InputError for a number of scenarios that is none, or more than memory holds; RuntimeError, naming the
    shards, when an executor ends with some of them missing.
    """
    import numpy as np

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
    """Shards that are missing, in words: site, year and scenarios of the first few."""
    listed = sorted(shards, key=lambda shard: (shard.site, shard.first))
    named = "; ".join(
        f"{cases[shard.site].name!r} year {shard.year} scenarios {shard.first} to {shard.first + shard.count - 1}"
        for shard in listed[:4]
    )
    return f"{len(listed)} shards missing: {named}{'; ...' if len(listed) > 4 else ''}"


class _Shocks:
    """The shocks that all sites share in one range of scenarios: drawn by the first to ask, kept until all have asked.

    So a run holds those of the few ranges it works at, however many scenarios it has.
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
    """Executor on this machine's cores: one shard a thread at a time."""
    workers = threads if threads is not None else len(os.sched_getaffinity(0))

    def execute(cases: Sequence[SiteCase], run: Run, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Sums]]:
        months = max(STEPS_PER_YEAR * case.year + case.months for case in cases)
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
