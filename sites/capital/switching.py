"""The best share of a site to convert from miners to GPU modules, at today's and at other prices."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.capital.finance import annuity_frac
from sites.dispatch.formulas import resale_price
from sites.dispatch.problem import meter_mw, site_reward_btc_per_hash
from sites.dispatch.year import site_year
from sites.market.mining import hashprice_usd_per_ph_s_day, mean_reward
from sites.scenarios.causes import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.arrays import Floats
    from sites.model import InferenceBlock, Site

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FACTOR_RANGE = (1e-3, 1e3)
HOUR_S = 3600
# Costs that cannot be recovered once modules are ordered, in words for reports.
IRREVERSIBLE = (
    "GPU modules: price less residual value",
    "building, cooling and network of the converted megawatts",
    "income of the megawatts that are offline during the lead time",
    "miners sold at their residual price",
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The terms of a conversion from miners to GPU modules."""

    module: InferenceBlock  # source of the modules; its count is ignored
    capex_usd_per_mw: float  # [USD/MW at the meter] of converted power
    lead_years: float  # from order to service
    offline_frac: float  # share of the lead time in which the megawatts are offline
    life_years: float
    discount_frac: float  # [1/year] discount rate
    residual_frac: float = 0.0  # of the capex, at the end of the life
    miner_usd_per_th_s: float = 0.0  # [USD per TH/s] price of a removed miner

    def __post_init__(self) -> None:
        """Raise InputError for an invalid cost, time or share."""
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
    """Return the power [MW at the meter] of a site's miners at full load."""
    return math.fsum(meter_mw(site, block) for block in site.mining)


def converted(site: Site, module: InferenceBlock, share: float) -> Site:
    """Return a site in which whole GPU modules replace a share of the mining power.

    The modules are the last inference block; existing inference blocks stay.

    Raises
    ------
    InputError
        The share is not within 0 to 1, or the site has no miners.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError.at("switching", "share", expected="a share of 0 to 1", got=share)
    power = mining_mw(site)
    if power <= 0:
        raise InputError(f"switching: expected a site with miners, got none at {site.name!r}")
    per_group = module.gpus_per_module * module.watts_per_gpu / 1e6 * float(site.gpu_pue.mean()) / site.delivered_frac
    count = math.floor(share * power / per_group + 1e-9) * module.gpus_per_module
    mining = tuple(replace(block, count=math.floor(block.count * (1.0 - share))) for block in site.mining)
    remaining = tuple(block for block in mining if block.count > 0)
    if not count:
        return replace(site, mining=remaining)
    names = {block.name for block in site.inference}
    name = module.name if module.name not in names else f"{module.name} (converted)"
    return replace(site, mining=remaining, inference=(*site.inference, replace(module, name=name, count=float(count))))


@dataclass(frozen=True, slots=True)
class Choice:
    """The value of converting one share of a site."""

    share: float  # [-] of the megawatts
    capex_usd: float
    net_usd: float  # of a year in service
    yearly_usd: float  # net less an annuity of capex, lead-time interest, lost income and residual values
    offline_mw: float  # [MW at the meter] during the lead time
    lost_in_lead_usd: float  # income lost during the lead time
    sold_usd: float  # for the removed miners
    sunk_usd: float  # costs that cannot be recovered


def choices(site: Site, plan: Conversion, shares: Sequence[float] = SHARES) -> list[Choice]:
    """Return the value of converting each share at the site's prices."""
    mined = _mining_net_usd(site)
    power = mining_mw(site)
    hashes = math.fsum(block.count * block.rate.rate_per_s for block in site.mining) / 1e12
    result = []
    for share in shares:
        after = converted(site, plan.module, share)
        net = site_year(after).net_usd
        capex = plan.capex_usd_per_mw * share * power
        sold = plan.miner_usd_per_th_s * hashes * share
        lost = max(mined, 0.0) * share * plan.lead_years * plan.offline_frac
        residual = plan.residual_frac * capex * (1.0 + plan.discount_frac) ** -plan.life_years
        # The capex is paid before service begins, so interest of the lead time is added.
        paid = (capex - sold) * (1.0 + plan.discount_frac) ** plan.lead_years
        burden = annuity_frac(plan.discount_frac, plan.life_years) * (paid + lost - residual)
        sunk = capex * (1.0 - plan.residual_frac) + lost
        result.append(Choice(share, capex, net, net - burden, share * power, lost, sold, sunk))
    return result


def _mining_net_usd(site: Site) -> float:
    """Return the yearly net of a site's miners [USD]: its net, less the net with its other blocks only.

    Fixed cost and contracted power fall due without miners too.
    """
    if not site.mining:
        return 0.0
    if site.inference:
        return site_year(site).net_usd - site_year(replace(site, mining=())).net_usd
    resold_usd = float(resale_price(site.resale_usd_per_mwh).sum())
    contract_usd = site.contract_mw * (resold_usd - site.contract_usd_per_mwh * site.hours)
    return site_year(site).net_usd - (contract_usd - site.fixed_usd_per_year)


def best_share(site: Site, plan: Conversion, shares: Sequence[float] = SHARES) -> Choice:
    """Return the choice with the highest yearly value; of equal ones, the smallest share."""
    return max(choices(site, plan, shares), key=lambda choice: (choice.yearly_usd, -choice.share))


def advantage_usd(site: Site, plan: Conversion) -> float:
    """Return the yearly advantage of converting the whole site over converting nothing [USD]."""
    nothing, everything = choices(site, plan, (0.0, 1.0))
    return everything.yearly_usd - nothing.yearly_usd


def switch_factor(site: Site, plan: Conversion, name: str) -> float | None:
    """Return the factor on an input at which converting is worth as much as mining; None if there is no such factor.

    The factor is found by bisection between 1/1000 and 1000.

    Parameters
    ----------
    site
        The site; its inference blocks are ignored.
    plan
        Terms of the conversion.
    name
        Name of the input (btc, inference_price, ...).
    """

    def gain(log_factor: float) -> float:
        factors = {name: math.exp(log_factor)}
        scaled_site = scaled(replace(site, inference=()), factors)
        module = scaled(replace(site, inference=(plan.module,)), factors).inference[0]
        return advantage_usd(scaled_site, replace(plan, module=module))

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
    """The prices at which converting the whole site is worth as much as mining; None if there is no such price."""

    btc_usd: float | None  # above it, mining is worth more
    hashprice_usd_per_ph_s_day: float | None  # the same as a hashprice
    inference_price: float | None  # [USD/Mtok, USD/GPU-hour or USD/kW-month]; above it, converting is worth more
    priced_per: str  # token, gpu_hour or kw_month
    converting_now: bool  # whether converting is worth more at the site's own prices


def site_hashprice(site: Site) -> float:
    """Return the mean hashprice [USD/PH/s/day] of a site's year, fees included."""
    reward = mean_reward(site.start_s, site.start_s + HOUR_S * site.hours, site.path).btc_per_hash
    weights = site_reward_btc_per_hash(site)
    fees_frac = float(np.average(site.fees_frac, weights=weights))  # the share of fees in BTC doubles at a halving
    btc_usd = site.btc_usd
    if site.btc_path_usd is not None:
        btc_usd = float(np.average(site.btc_path_usd, weights=weights * (1.0 + site.fees_frac)))
    return hashprice_usd_per_ph_s_day(reward, btc_usd, fees_frac=fees_frac)


def switch_prices(site: Site, plan: Conversion) -> SwitchPrices:
    """Return the switch prices of BTC, hashprice and inference, each with the other prices unchanged."""
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
    """Return the best share for each pair of factors on inference and BTC price: [price_factors, btc_factors]."""
    best = np.empty((len(price_factors), len(btc_factors)))
    for i, price in enumerate(price_factors):
        module = replace(plan.module, price_usd=plan.module.price_usd * price)
        for j, btc in enumerate(btc_factors):
            best[i, j] = best_share(scaled(site, {"btc": btc}), replace(plan, module=module), shares).share
    return best
