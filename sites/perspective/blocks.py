"""The perspective on a site's year: what each block's revenue rests on, and what remains after the cost of capital."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

from sites.model import MiningBlock
from sites.perspective.capital import block_capital, missing_price
from sites.perspective.inference import inference_perspective
from sites.perspective.mining import mining_perspective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.dispatch.year import BlockYear, SiteYear
    from sites.perspective.capital import BlockCapital
    from sites.perspective.inference import InferencePerspective
    from sites.perspective.mining import MiningPerspective

STALE_DIFFICULTY_DAYS = 60
"""Age of the difficulty data from which it is reported: four difficulty epochs."""


@dataclass(frozen=True, slots=True)
class BlockPerspective:
    """The perspective on one block over one year."""

    year: BlockYear
    capital: BlockCapital | None  # None if an input is missing
    capital_missing: str  # the input that the capital cost lacks, in words; empty if it is known
    mining: MiningPerspective | None  # None for GPUs
    inference: InferencePerspective | None  # None for miners

    @property
    def after_capital_usd(self) -> float | None:
        """Revenue less the cost of power and capital [USD/year]; None if the capital cost is unknown."""
        if self.capital is None:
            return None
        return self.year.revenue_usd - self.year.energy_usd - self.capital.usd_per_year

    @property
    def after_capital_usd_per_mwh(self) -> float | None:
        """The same per MWh of the facility; None for a block that never ran."""
        after = self.after_capital_usd
        return None if after is None or self.year.facility_mwh <= 0 else after / self.year.facility_mwh

    def document(self) -> dict[str, object]:
        """Return the perspective as a JSON document, without the year itself."""
        document = {"block": self.year.name, "after_capital_usd": self.after_capital_usd}
        return {**document, **{key: value for key, value in asdict(self).items() if key != "year"}}


def perspectives(year: SiteYear) -> tuple[BlockPerspective, ...]:
    """Return the perspective on each block of a year."""
    site = year.site
    blocks = {block.name: block for block in site.blocks}
    found = []
    for block_year in year.blocks:
        block = blocks[block_year.name]
        capital, missing = block_capital(site, block), missing_price(site, block)
        if isinstance(block, MiningBlock):
            found.append(
                BlockPerspective(block_year, capital, missing, mining_perspective(site, block, block_year), None)
            )
        else:
            inference = inference_perspective(site, block, block_year, year.hours, capital)
            found.append(BlockPerspective(block_year, capital, missing, None, inference))
    return tuple(found)


def net_after_capital_usd(year: SiteYear) -> float | None:
    """Return a site's net less the capital cost of all its blocks [USD/year]; None if one of them is unknown."""
    costs = [item.capital.usd_per_year if item.capital is not None else None for item in perspectives(year)]
    return None if None in costs else year.net_usd - sum(cost for cost in costs if cost is not None)


def sentences(item: BlockPerspective, today: date) -> Iterator[str]:
    """Yield what a block's revenue rests on, one line each.

    Parameters
    ----------
    item
        The perspective on the block.
    today
        The day of reading, from which the age of the difficulty data is counted.
    """
    if item.mining is not None:
        yield from _mining(item.mining, today)
    if item.inference is not None:
        yield from _inference(item.inference)
    if item.capital is not None:
        yield f"capital {_usd(item.capital.usd)} ({item.capital.basis}), {_usd(item.capital.usd_per_year)} a year"
    else:
        yield f"capital cost unknown: {item.capital_missing}"


def _mining(mining: MiningPerspective, today: date) -> Iterator[str]:
    power = "" if mining.power_cents_per_kwh is None else f", power {mining.power_cents_per_kwh:.3g} c/kWh"
    yield (
        f"hashprice {mining.hashprice_usd_per_ph_s_day:.4g} USD/PH/s/day{power}, "
        f"{mining.network_share_frac:.2%} of the network's hash rate"
    )
    for halving in mining.halvings:
        yield (
            f"the subsidy halves about {halving.day}: {halving.before_usd_per_mwh:.4g} USD/MWh (facility) before, "
            f"{halving.after_usd_per_mwh:.4g} after"
        )
    age = (today - mining.difficulty_known_until).days
    if age >= STALE_DIFFICULTY_DAYS:
        yield f"difficulty data end {mining.difficulty_known_until}, {age / 30.4:.0f} months ago"


def _inference(inference: InferencePerspective) -> Iterator[str]:
    served = inference.usd_per_served_gpu_hour
    shown = "-" if served is None else f"{served:.2f}"
    yield f"{inference.usd_per_installed_gpu_hour:.2f} USD per installed GPU-hour, {shown} per served GPU-hour"
    if inference.rent_text:
        yield f"served GPU-hour {inference.rent_text}"
    yield _breakeven(inference)
    if inference.tokens_per_day is not None:
        tpot = "unknown" if inference.tpot_s is None else f"{inference.tpot_s * 1e3:.3g} ms"
        yield f"rate: {inference.rate_class}, time per token {tpot}; price: {inference.price_class}"
        market = inference.market
        yield (
            f"{inference.tokens_per_day / 1e9:,.4g} G tokens a day with their input: {inference.market_share_frac:.1%} "
            f"of the volume of {market.name} ({market.source})"
        )


def _breakeven(inference: InferencePerspective) -> str:
    used, breakeven = inference.utilisation_frac, inference.breakeven_utilisation_frac
    if used is None:
        rent = _usd(inference.rent_usd)
        return f"the rent of {rent} a year is due whatever the tenant draws: there is no break-even utilisation"
    if breakeven is None:
        needed = "no utilisation pays power and capital"
    elif breakeven == 0.0 and inference.rent_usd > 0.0:
        needed = "the minimum of the contract pays power and capital at any utilisation"
    else:
        needed = f"break-even at {breakeven:.1%}"
    without = f", without the site's {' and '.join(inference.left_out)}" if inference.left_out else ""
    return f"utilisation {used:.1%}; {needed}{without}"


def _usd(value: float) -> str:
    return f"{value / 1e6:,.4g} M USD"
