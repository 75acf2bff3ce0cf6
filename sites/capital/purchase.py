"""The purchase of a capital plan: hash rate, a site or GPU modules, with the income lost during conversion."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardware_profiles.errors import InputError
from sites.capital.finance import usd_per_mw, usd_per_th_s
from sites.capital.switching import Conversion, choices, converted, mining_mw, switch_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites.arrays import Floats
    from sites.capital.file import PlanFile
    from sites.model import InferenceBlock, Site

    Load = Callable[[str], Site]

HASHES_PER_EH = 1e18
MW_TOLERANCE = 0.01
BTC_FACTORS = (0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)
PRICE_FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
PRICE_UNITS = {"token": "USD/Mtok", "gpu_hour": "USD/GPU-h", "kw_month": "USD/kW-month"}


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase and its effect on a site."""

    before: Site | None  # the site without the purchase; None if the purchase is the site
    after: Site
    text: str  # the purchase in words
    unit_price: float  # in `unit`
    unit: str  # of the price
    spent_usd: float  # from the budget
    left_over_usd: float = 0.0  # of the budget
    offline_mw: float = 0.0  # [MW at the meter] during the lead time
    lost_usd: float = 0.0  # income that the offline power would have earned
    sold_usd: float = 0.0  # for the removed miners

    @property
    def upfront_usd(self) -> float:
        """Amount to be paid back [USD]: the price plus the lost income, less the proceeds of the removed miners."""
        return self.spent_usd + self.lost_usd - self.sold_usd


def purchase(plan: PlanFile, site: Site, load: Load, budget_usd: float) -> Bought:
    """Return the purchase of a plan for a site; raise InputError if it does not fit the site or the budget."""
    kinds = {"hashrate": _hashrate, "site": _site, "gpu_modules": _gpu_modules}
    return kinds[plan.purchase.kind](plan, site, load, budget_usd)


def _hashrate(plan: PlanFile, site: Site, _: Load, budget_usd: float) -> Bought:
    installed_h_s = math.fsum(block.count * block.rate.rate_per_s for block in site.mining)
    hashrate = plan.purchase.hashrate_eh_s
    if installed_h_s <= 0 or hashrate is None:
        raise InputError(f"key site: expected a site with miners, got none at {site.name!r}")
    hashrate_h_s = hashrate.value * HASHES_PER_EH
    scale = hashrate_h_s / installed_h_s
    scaled_site = replace(
        site,
        mining=tuple(replace(block, count=block.count * scale) for block in site.mining),
        inference=(),
        interconnect_mw=site.interconnect_mw * scale,
        limit_mw=site.limit_mw * scale,
    )
    text = f"{hashrate.value:g} EH/s of {site.mining[0].rate.name}"
    return Bought(None, scaled_site, text, usd_per_th_s(budget_usd, hashrate_h_s), "USD per TH/s", budget_usd)


def _site(plan: PlanFile, site: Site, _: Load, budget_usd: float) -> Bought:
    mw = plan.purchase.mw.value if plan.purchase.mw is not None else 0.0
    if abs(mw - site.interconnect_mw) > MW_TOLERANCE * site.interconnect_mw:
        raise InputError(f"key purchase.mw: expected the site's interconnect ({site.interconnect_mw:g} MW), got {mw:g}")
    return Bought(None, site, f"a site of {mw:g} MW", usd_per_mw(budget_usd, mw), "USD per MW", budget_usd)


def _gpu_modules(plan: PlanFile, site: Site, load: Load, budget_usd: float) -> Bought:
    conversion = conversion_of(plan, load)
    site = _cooled(site, load(plan.module_from or ""))
    available_mw = mining_mw(site)
    if available_mw <= 0:
        raise InputError(f"key site: expected a site with miners, got none at {site.name!r}")
    per_mw = conversion.capex_usd_per_mw
    mw = min(budget_usd / per_mw, available_mw)
    share = mw / available_mw
    after = converted(site, conversion.module, share)
    if len(after.inference) == len(site.inference):
        raise InputError(
            f"expected a budget for at least one GPU module, got {budget_usd:,.0f} USD at {per_mw:,.0f} USD per MW"
        )
    module = after.inference[-1]
    (choice,) = choices(site, conversion, (share,))
    spent = budget_usd if share < 1.0 else mw * per_mw
    return Bought(
        before=site,
        after=after,
        text=f"{mw:.1f} MW of GPU modules: {module.count:,.0f} GPUs of {module.rate.name}",
        unit_price=per_mw,
        unit="USD per MW",
        spent_usd=spent,
        left_over_usd=budget_usd - spent,
        offline_mw=choice.offline_mw,
        lost_usd=choice.lost_in_lead_usd,
        sold_usd=choice.sold_usd,
    )


def conversion_of(plan: PlanFile, load: Load) -> Conversion:
    """Return the conversion that a plan of GPU modules describes."""
    bought, finance = plan.purchase, plan.finance
    return Conversion(
        module=_module(load(plan.module_from or "")),
        capex_usd_per_mw=bought.usd_per_mw.value if bought.usd_per_mw else 0.0,
        lead_years=bought.lead_years.value,
        offline_frac=bought.offline_percent.value / 100.0,
        life_years=float(finance.years),
        discount_frac=finance.discount_percent.value / 100.0,
        residual_frac=finance.residual_percent.value / 100.0,
        miner_usd_per_th_s=bought.miner_usd_per_th_s.value,
    )


def _module(source: Site) -> InferenceBlock:
    if not source.inference:
        raise InputError("key module_from: expected a site with an inference block, got none")
    return source.inference[0]


def _cooled(site: Site, source: Site) -> Site:
    """Return a site whose GPU PUE, if it has none, is that of the site that the modules come from."""
    if (site.gpu_pue > 1.0).any():
        return site
    return replace(site, gpu_pue=0.0 * site.gpu_pue + float(source.gpu_pue.mean()))


def switch_map_of(plan: PlanFile, load: Load) -> tuple[Floats, list[float], list[float], str]:
    """Return the switch map of a plan of GPU modules.

    Returns
    -------
    tuple
        Best shares, shape [inference prices, BTC prices]; BTC prices [USD]; inference prices; and their unit.
    """
    conversion = conversion_of(plan, load)
    site = _cooled(load(plan.site), load(plan.module_from or ""))
    module = conversion.module
    btc, prices = [f * site.btc_usd for f in BTC_FACTORS], [f * module.price_usd for f in PRICE_FACTORS]
    return switch_map(site, conversion, BTC_FACTORS, PRICE_FACTORS), btc, prices, PRICE_UNITS[module.priced_per]
