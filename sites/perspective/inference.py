"""The figures that tell whether the revenue of GPUs is plausible: rent, utilisation, market share, price class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.dispatch.problem import full_worth_usd_per_mwh, meter_mw
from sites.dispatch.rents import rent
from sites.market.published_market import gpu_rent, token_market
from sites.modes import PointStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.dispatch.year import BlockYear
    from sites.market.published_market import GpuRent, TokenMarket
    from sites.model import InferenceBlock, Site
    from sites.perspective.capital import BlockCapital

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class InferencePerspective:
    """The perspective on one block of GPUs over one year."""

    usd_per_installed_gpu_hour: float
    usd_per_served_gpu_hour: float | None  # None if nothing was served
    rent: GpuRent | None  # of the same GPU; None if none is bundled
    tpot_s: float | None  # [s] mean time per token at the block's rate
    rate_class: str  # interactive or offline; empty for blocks that do not sell tokens
    price_class: str  # interactive or batch; empty for blocks that do not sell tokens
    tokens_per_day: float | None  # [token/day] sold, with their input tokens; None for blocks that do not sell tokens
    market: TokenMarket
    utilisation_frac: float | None  # share of the working GPUs' full load that was served; None for a lease
    breakeven_utilisation_frac: float | None  # the same at which revenue pays power and capital; None if none does
    rent_usd: float  # [USD/year] due whatever is drawn: the rent of a lease, or the part of a minimum that is not taken
    left_out: tuple[str, ...]  # costs of the whole site that no break-even of a block contains, in words

    @property
    def market_share_frac(self) -> float | None:
        """Tokens sold with their input over the volume of the market."""
        return None if self.tokens_per_day is None else self.tokens_per_day / self.market.tokens_per_day

    @property
    def rent_text(self) -> str:
        """Where the served GPU-hour stands in the range of rents, in words; empty if either is unknown."""
        if self.rent is None or self.usd_per_served_gpu_hour is None:
            return ""
        low, high = self.rent.low_usd_per_gpu_hour, self.rent.high_usd_per_gpu_hour
        value = self.usd_per_served_gpu_hour
        where = "below" if value < low else "above" if value > high else "within"
        return (
            f"{where} the rent of an {self.rent.gpu} {self.rent.terms}: {low:.2f} to {high:.2f} USD/GPU-hour "
            f"({self.rent.source}, {self.rent.date})"
        )


def inference_perspective(
    site: Site, block: InferenceBlock, year: BlockYear, hours: int, capital: BlockCapital | None
) -> InferencePerspective:
    """Return the perspective on a block of GPUs.

    Parameters
    ----------
    site, block
        The site and its block.
    year
        The block's year.
    hours
        Hours of the year.
    capital
        Capital cost of the block, or None if it is unknown.
    """
    working_hours = block.availability_frac * site.availability_frac * hours
    working = block.count * (1.0 - block.spare_frac) * working_hours
    served = _served_gpu_hours(block, year)
    served_frac = served / working if working > 0 else 0.0
    breakeven = None
    if not block.is_lease:
        breakeven = breakeven_utilisation_frac(
            working * full_worth_usd_per_mwh(block) * block.watts_per_gpu / 1e6,
            _energy_at_full_load_usd(site, block, year, working_hours),
            block.idle_frac,
            capital.usd_per_year if capital is not None else 0.0,
            block.take_or_pay_frac,
            block.steps,
        )
    tokens = block.priced_per == "token"
    return InferencePerspective(
        usd_per_installed_gpu_hour=year.revenue_usd / (block.count * hours),
        usd_per_served_gpu_hour=year.revenue_usd / served if served > 0 else None,
        rent=gpu_rent(block.rate.name),
        tpot_s=block.rate.tpot_s if tokens else None,
        rate_class=block.rate.serving_class if tokens else "",
        price_class=block.price_class if tokens else "",
        tokens_per_day=_with_input(block, year.units) / (hours / 24.0) if tokens else None,
        market=token_market(),
        utilisation_frac=None if block.is_lease else served_frac,
        breakeven_utilisation_frac=breakeven,
        rent_usd=rent(site, block).usd if block.is_contracted else 0.0,
        left_out=tuple(_left_out(site)),
    )


def _left_out(site: Site) -> Iterator[str]:
    if site.demand_charge_usd_per_mw_month > 0:
        yield "demand charge"
    if site.fixed_usd_per_year > 0:
        yield "fixed cost"


def _served_gpu_hours(block: InferenceBlock, year: BlockYear) -> float:
    if block.priced_per == "token":
        return year.units / (block.rate.rate_per_s * SECONDS_PER_HOUR)
    return year.units if block.priced_per == "gpu_hour" else 0.0


def _with_input(block: InferenceBlock, tokens: float) -> float:
    """Return sold tokens with their input tokens, if the rate counts output tokens and states both lengths."""
    tags = block.rate.tags
    lengths = re.fullmatch(r"(\d+):([1-9]\d*)", tags.lengths) if tags is not None else None
    if tags is None or lengths is None or tags.token_basis != "output":  # noqa: S105 (a kind of token, no password)
        return tokens
    return tokens * (1.0 + int(lengths[1]) / int(lengths[2]))


def _energy_at_full_load_usd(site: Site, block: InferenceBlock, year: BlockYear, working_hours: float) -> float:
    """Return the cost of power if the working GPUs ran at full load in all hours, at the block's mean power price.

    For a block that never ran, the price is the mean of the year.
    """
    if block.passes_energy:
        return 0.0
    metered_mwh = meter_mw(site, block) * working_hours
    if year.facility_mwh <= 0:
        return metered_mwh * float((site.spot_usd_per_mwh + site.adder_usd_per_mwh).mean())
    return metered_mwh * site.delivered_frac * year.energy_usd / year.facility_mwh


def breakeven_utilisation_frac(  # noqa: PLR0913, PLR0917 (money, and what the machines draw at each utilisation)
    revenue_usd: float,
    energy_usd: float,
    idle_frac: float,
    fixed_usd: float,
    minimum_frac: float = 0.0,
    steps: Sequence[PointStep] = (),
) -> float | None:
    """Return the utilisation at which revenue equals the cost of power and the fixed cost, or None if none does.

    Parameters
    ----------
    revenue_usd, energy_usd
        Revenue and cost of power at full load [USD].
    idle_frac
        Share of the full power that is drawn without load.
    fixed_usd
        Cost that does not depend on utilisation [USD].
    minimum_frac
        Utilisation that is paid for in any case.
    steps
        Steps of an operating curve; without them power rises evenly with utilisation.

    Notes
    -----
    With utilisation u, revenue is R max(u, minimum) and power costs E (i + (1 - i) u), or with an operating curve E
    times idle power and that of the best points that make u.
    """
    minimum_usd, at_minimum_usd = revenue_usd * minimum_frac, energy_usd * (1.0 - idle_frac) * minimum_frac
    if minimum_frac > 0.0 and minimum_usd >= energy_usd * idle_frac + fixed_usd + at_minimum_usd:
        return 0.0
    needed, used_frac = energy_usd * idle_frac + fixed_usd, 0.0
    if needed < 0.0:
        return None
    for step in steps or (PointStep("", 1.0 - idle_frac, 1.0),):
        margin = revenue_usd * step.rate_frac - energy_usd * step.power_frac
        if needed <= margin and margin > 0.0:
            return used_frac + step.rate_frac * needed / margin
        needed, used_frac = needed - margin, used_frac + step.rate_frac
    return None
