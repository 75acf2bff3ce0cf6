"""What share of a site is worth converting from miners to GPU modules, now and as prices move."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.capital.finance import annuity_frac
from sites.dispatch.problem import meter_mw
from sites.dispatch.year import site_year
from sites.market.mining import hashprice_usd_per_ph_s_day, mean_reward
from sites.scenarios.uncertainty import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.model import InferenceBlock, Site

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FACTOR_RANGE = (1e-3, 1e3)
HOUR_S = 3600
# What cannot be undone once modules are ordered, for people to read beside the share.
IRREVERSIBLE = (
    "GPU modules: what is paid less the residual value",
    "hall, cooling and network of the converted megawatts",
    "income of the megawatts that stand still during the lead time",
    "miners sold at their residual price",
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What converting costs.

    module: GPU block whose modules are put in, however many fit. capex_usd_per_mw: [USD/MW] at the meter of converted
    power. lead_years: from order to service; offline_frac: share of it in which the megawatts already stand still.
    life_years, discount_frac, residual_frac: of the capex, at the end of its life. miner_usd_per_th_s: [USD per TH/s]
    that a removed miner sells for.

    Raises InputError for a cost, time or share that cannot be.
    """

    module: InferenceBlock
    capex_usd_per_mw: float
    lead_years: float
    offline_frac: float
    life_years: float
    discount_frac: float
    residual_frac: float = 0.0
    miner_usd_per_th_s: float = 0.0

    def __post_init__(self) -> None:  # noqa: D105
        for key in ("capex_usd_per_mw", "lead_years", "miner_usd_per_th_s"):
            value = getattr(self, key)
            if not (math.isfinite(value) and value >= 0):
                raise InputError.at("conversion", key, expected="a finite number of 0 or more", got=value)
        for key in ("offline_frac", "residual_frac"):
            if not 0.0 <= getattr(self, key) <= 1.0:
                raise InputError.at("conversion", key, expected="a share of 0 to 1", got=getattr(self, key))
        if not self.life_years > 0:
            raise InputError.at("conversion", "life_years", expected="a number above 0", got=self.life_years)


def mining_mw(site: Site) -> float:
    """Power [MW at the meter] that a site's miners draw at full load."""
    return math.fsum(meter_mw(site, block) for block in site.mining)


def converted(site: Site, module: InferenceBlock, share: float) -> Site:
    """Return a site with a share of its mining power given to whole GPU modules, and that share of miners taken out.

    The new modules are the last of its inference blocks; those that stand there stay.

    Raises InputError for a share outside 0 to 1, or a site without miners.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError.at("switching", "share", expected="a share of 0 to 1", got=share)
    power = mining_mw(site)
    if power <= 0:
        raise InputError(f"switching: expected a site with miners, got none at {site.name!r}")
    per_group = module.gpus_per_module * module.watts_per_gpu / 1e6 * float(site.gpu_pue.mean()) / site.delivered_frac
    count = math.floor(share * power / per_group + 1e-9) * module.gpus_per_module
    mining = tuple(replace(block, count=math.floor(block.count * (1.0 - share))) for block in site.mining)
    kept = tuple(block for block in mining if block.count > 0)
    if not count:
        return replace(site, mining=kept)
    taken = {block.name for block in site.inference}
    name = module.name if module.name not in taken else f"{module.name} (converted)"
    return replace(site, mining=kept, inference=(*site.inference, replace(module, name=name, count=float(count))))


@dataclass(frozen=True, slots=True)
class Choice:
    """One share and what it is worth.

    net_usd: of a year in service. yearly_usd: the same less the capex as an annuity from the first day of service on,
    with the interest of the lead time, residual values and the income lost in that time. offline_mw: standing still
    meanwhile. sold_usd: for the miners taken out. sunk_usd: what cannot be undone.
    """

    share: float
    capex_usd: float
    net_usd: float
    yearly_usd: float
    offline_mw: float
    lost_in_lead_usd: float
    sold_usd: float
    sunk_usd: float


def choices(site: Site, plan: Conversion, shares: Sequence[float] = SHARES) -> list[Choice]:
    """Value every share of conversion at a site's own prices."""
    mined = _mining_net_usd(site)
    power = mining_mw(site)
    hashes = math.fsum(block.count * block.rate.rate_per_s for block in site.mining) / 1e12
    found = []
    for share in shares:
        after = converted(site, plan.module, share)
        net = site_year(after).net_usd
        capex = plan.capex_usd_per_mw * share * power
        sold = plan.miner_usd_per_th_s * hashes * share
        lost = max(mined, 0.0) * share * plan.lead_years * plan.offline_frac
        residual = plan.residual_frac * capex * (1.0 + plan.discount_frac) ** -plan.life_years
        paid = (capex - sold) * (
            1.0 + plan.discount_frac
        ) ** plan.lead_years  # early, and so dearer when service begins
        burden = annuity_frac(plan.discount_frac, plan.life_years) * (paid + lost - residual)
        sunk = capex * (1.0 - plan.residual_frac) + lost
        found.append(Choice(share, capex, net, net - burden, share * power, lost, sold, sunk))
    return found


def _mining_net_usd(site: Site) -> float:
    """Return what a site's miners leave a year [USD]: its net, less what its other blocks would leave alone."""
    if not site.mining:
        return 0.0
    rest = site_year(replace(site, mining=())).net_usd if site.inference else 0.0
    return site_year(site).net_usd - rest


def best_share(site: Site, plan: Conversion, shares: Sequence[float] = SHARES) -> Choice:
    """Return the choice worth most a year; the smallest share of those that tie."""
    return max(choices(site, plan, shares), key=lambda choice: (choice.yearly_usd, -choice.share))


def advantage_usd(site: Site, plan: Conversion) -> float:
    """Yearly value of converting everything over converting nothing [USD]."""
    nothing, everything = choices(site, plan, (0.0, 1.0))
    return everything.yearly_usd - nothing.yearly_usd


def switch_factor(site: Site, plan: Conversion, name: str) -> float | None:
    """Factor on an input (btc, inference_price, ...) at which converting is worth as much as mining on; None for none.

    Found by bisection between 1/1000 and 1000 times today's.
    """

    def gain(log_factor: float) -> float:
        factors = {name: math.exp(log_factor)}
        moved = scaled(replace(site, inference=()), factors)
        module = scaled(replace(site, inference=(plan.module,)), factors).inference[0]
        return advantage_usd(moved, replace(plan, module=module))

    low, high = (math.log(factor) for factor in FACTOR_RANGE)
    at_low, at_high = gain(low), gain(high)
    if at_low * at_high > 0:
        return None
    for _ in range(50):
        middle = 0.5 * (low + high)
        if gain(middle) * at_low > 0:
            low = middle
        else:
            high = middle
        if high - low < 1e-6:
            break
    return math.exp(0.5 * (low + high))


@dataclass(frozen=True, slots=True)
class SwitchPrices:
    """Prices at which all of a site is worth as much converted as mining; None where no price does it.

    btc_usd: [USD/BTC], hashprice_usd_per_ph_s_day: the same in hashprice: above it, mine. inference_price: [USD] per
    million tokens, GPU-hour or kW-month as the module is paid: above it, convert. converting_now: worth more at the
    site's own prices, which says on which side of a price that is not there they lie.
    """

    btc_usd: float | None
    hashprice_usd_per_ph_s_day: float | None
    inference_price: float | None
    priced_per: str
    converting_now: bool


def site_hashprice(site: Site) -> float:
    """Mean hashprice [USD/PH/s/day] of a site's year, fees included."""
    reward = mean_reward(site.start_s, site.start_s + HOUR_S * site.hours, site.path).btc_per_hash
    return hashprice_usd_per_ph_s_day(reward, site.btc_usd, fees_frac=float(site.fees_frac.mean()))


def switch_prices(site: Site, plan: Conversion) -> SwitchPrices:
    """Find the switch prices of BTC, hashprice and what the modules sell, each with the others as they are."""
    btc, tokens = switch_factor(site, plan, "btc"), switch_factor(site, plan, "inference_price")
    return SwitchPrices(
        btc_usd=None if btc is None else btc * site.btc_usd,
        hashprice_usd_per_ph_s_day=None if btc is None else btc * site_hashprice(site),
        inference_price=None if tokens is None else tokens * plan.module.price_usd,
        priced_per=plan.module.priced_per,
        converting_now=advantage_usd(replace(site, inference=()), plan) > 0,
    )


def switch_map(
    site: Site,
    plan: Conversion,
    btc_factors: Sequence[float],
    price_factors: Sequence[float],
    shares: Sequence[float] = SHARES,
) -> Floats:
    """Best share for every pair of factors on BTC price and inference price: [len(price_factors), len(btc_factors)]."""
    found = np.empty((len(price_factors), len(btc_factors)))
    for i, price in enumerate(price_factors):
        module = replace(plan.module, price_usd=plan.module.price_usd * price)
        for j, btc in enumerate(btc_factors):
            found[i, j] = best_share(scaled(site, {"btc": btc}), replace(plan, module=module), shares).share
    return found
