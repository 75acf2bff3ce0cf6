"""A plan of capital worked out: what it buys, what comes of it in every scenario, and what its loan risks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.capital.finance import (
    Loan,
    Payback,
    Sale,
    breakeven_hashprice,
    breakeven_power_usd_per_mwh,
    levelised_usd_per_unit,
    payback,
    touch_probability,
)
from sites.capital.purchase import Bought, conversion_of, purchase
from sites.capital.switching import SwitchPrices, best_share, site_hashprice, switch_prices
from sites.dispatch.year import site_year
from sites.file.values import assumptions_of
from sites.scenarios.engine import fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites.arrays import Floats
    from sites.capital.file import LoanTable, PlanFile
    from sites.dispatch.year import SiteYear
    from sites.model import Assumption, Site
    from sites.scenarios.engine import Executor, Run


@dataclass(frozen=True, slots=True)
class LoanReport:
    """A loan before and after: loan-to-value, trigger prices [USD/BTC], and the probabilities of touching them.

    years: within which. interest_saved_usd_per_year: on what is repaid.
    """

    years: float
    ltv_before: float
    ltv_after: float | None
    margin_call_usd: float | None
    liquidation_usd: float | None
    margin_call_before: float
    liquidation_before: float
    margin_call_after: float
    liquidation_after: float
    interest_saved_usd_per_year: float


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a plan buys and what comes of it.

    budget_usd: paid for the purchase; left_over_usd: what the site has no room for. bought: in words. unit_price: of
    what is bought, with its unit. offline_mw, lost_in_lead_usd, miners_sold_usd: of converted megawatts. base_cash_usd:
    first year's additional cash in the base case. usd_per_btc, usd_per_mtok: levelised over the life, None where none
    is made.
    """

    name: str
    budget_usd: float
    left_over_usd: float
    bought: str
    unit_price: float
    unit: str
    offline_mw: float
    lost_in_lead_usd: float
    miners_sold_usd: float
    sale_usd_per_btc: float | None
    base_cash_usd: float
    payback: Payback
    usd_per_btc: float | None
    usd_per_mtok: float | None
    breakeven_power_usd_per_mwh: float | None
    breakeven_hashprice: float | None
    loan: LoanReport | None
    switch: SwitchPrices | None
    best_share: float | None
    assumptions: tuple[Assumption, ...]

    def document(self) -> dict[str, object]:
        """Return the report as JSON has it."""
        return asdict(self)


def report(
    plan: PlanFile, load: Callable[[str], Site], run: Run, scenarios: int, *, execute: Executor | None = None
) -> PlanReport:
    """Work a plan out over scenarios.

    load: turns the name of a site or example into a Site. The investment's cash is a site's net with it less the net
    without it, year by year and scenario by scenario, on the same random numbers. execute: as run_fleet takes it.

    Raises InputError where the plan does not fit the site, or leaves nothing to buy with.
    """
    finance, sale = plan.finance, _sale(plan)
    site = load(plan.site)
    bought = purchase(plan, site, load, _budget(plan, sale))
    cash = _cash(bought, run, scenarios, finance.years, execute)
    with_it = site_year(bought.after)
    without = site_year(bought.before).net_usd if bought.before else 0.0
    discount, life = finance.discount_percent.value / 100.0, float(finance.years)
    residual_usd = finance.residual_percent.value / 100.0 * bought.spent_usd
    conversion = conversion_of(plan, load) if bought.before else None
    running = with_it.energy_usd + with_it.penalty_usd + with_it.fixed_usd
    mined = sum(block.btc or 0.0 for block in with_it.blocks)
    mtok = sum(block.units for block in with_it.blocks if block.unit == "token") / 1e6
    inferring = _share(with_it, "inference")
    mining_usd = sum(block.revenue_usd for block in with_it.blocks if block.product == "mining")

    def levelised(running_usd: float, units: float) -> float | None:
        return levelised_usd_per_unit(bought.upfront_usd, running_usd, units, discount, life)

    return PlanReport(
        name=plan.name,
        budget_usd=bought.spent_usd,
        left_over_usd=bought.left_over_usd,
        bought=bought.text,
        unit_price=bought.unit_price,
        unit=bought.unit,
        offline_mw=bought.offline_mw,
        lost_in_lead_usd=bought.lost_usd,
        miners_sold_usd=bought.sold_usd,
        sale_usd_per_btc=sale.btc_usd if sale else None,
        base_cash_usd=with_it.net_usd - without,
        payback=payback(
            bought.upfront_usd,
            cash,
            discount,
            residual_usd=residual_usd,
            lead_years=plan.purchase.lead_years.value,
        ),
        usd_per_btc=None if conversion else levelised(running, mined),
        usd_per_mtok=levelised(running * inferring, mtok) if conversion else None,
        breakeven_power_usd_per_mwh=breakeven_power_usd_per_mwh(
            with_it.net_usd, with_it.metered_mwh, float(site.spot_usd_per_mwh.mean())
        ),
        breakeven_hashprice=breakeven_hashprice(site_hashprice(site), with_it.net_usd, mining_usd),
        loan=_loan(plan, plan.loan, site, run) if plan.loan is not None else None,
        switch=switch_prices(bought.before, conversion) if bought.before and conversion else None,
        best_share=best_share(bought.before, conversion).share if bought.before and conversion else None,
        assumptions=tuple(assumptions_of(plan)),
    )


def _sale(plan: PlanFile) -> Sale | None:
    if plan.sale is None:
        return None
    btc = plan.sale.btc.value
    return Sale(btc, plan.sale.proceeds_usd.value / btc, plan.sale.cost_percent.value / 100.0)


def _budget(plan: PlanFile, sale: Sale | None) -> float:
    """Return what there is to buy with [USD]: the price, or what the sale brings less what it repays."""
    if plan.purchase.price_usd is not None:
        return plan.purchase.price_usd.value
    repaid = plan.loan.repaid_usd.value if plan.loan is not None else 0.0
    budget = (sale.proceeds_usd if sale else 0.0) - repaid
    if budget <= 0:
        raise InputError(f"plan {plan.name!r}: expected something left to buy with, got {budget:,.0f} USD")
    return budget


def _cash(bought: Bought, run: Run, scenarios: int, years: int, execute: Executor | None) -> Floats:
    """Return how much more cash there is with the purchase than without it [USD], [years, scenarios]."""
    pair = [replace(bought.after, name=f"{bought.after.name} with")]
    if bought.before is not None:
        pair.append(replace(bought.before, name=f"{bought.before.name} without"))
    cases = fleet_cases(pair, run.model, years=range(years))
    same = [replace(case, place=cases[0].place) for case in cases]  # one site, with and without: the same scenarios
    done = run_fleet(same, run, scenarios, execute=execute)
    width = len(pair)
    net = [[site_metric(done, year * width + k, "net_usd") for k in range(width)] for year in range(years)]
    return np.array([one[0] - (one[1] if width > 1 else 0.0) for one in net])


def _share(year: SiteYear, product: str) -> float:
    whole = sum(block.facility_mwh for block in year.blocks)
    return sum(block.facility_mwh for block in year.blocks if block.product == product) / whole if whole > 0 else 0.0


def _loan(plan: PlanFile, table: LoanTable, site: Site, run: Run) -> LoanReport:
    given = run.model.of("btc")
    interest, repaid = table.interest_percent.value / 100.0, table.repaid_usd.value
    loan = Loan(
        table.principal_usd.value,
        table.collateral_btc.value,
        table.margin_call_ltv_percent.value / 100.0,
        table.liquidation_ltv_percent.value / 100.0,
    )
    left = loan.repaid(repaid)
    if left is not None and plan.sale is not None and plan.sale.from_collateral:
        left = replace(left, collateral_btc=left.collateral_btc - plan.sale.btc.value)

    def touched(one: Loan | None, ltv: float) -> float:
        if one is None:
            return 0.0
        # Interest is added to the loan, so the trigger price grows with it: the same as a price that drifts by less.
        drift = (1.0 + given.drift_frac_per_year) / (1.0 + interest) - 1.0
        return touch_probability(site.btc_usd, one.trigger_usd(ltv), given.volatility_frac, table.years.value, drift)

    return LoanReport(
        years=table.years.value,
        ltv_before=loan.ltv(site.btc_usd),
        ltv_after=left.ltv(site.btc_usd) if left else None,
        margin_call_usd=left.trigger_usd(left.margin_call_ltv) if left else None,
        liquidation_usd=left.trigger_usd(left.liquidation_ltv) if left else None,
        margin_call_before=touched(loan, loan.margin_call_ltv),
        liquidation_before=touched(loan, loan.liquidation_ltv),
        margin_call_after=touched(left, loan.margin_call_ltv),
        liquidation_after=touched(left, loan.liquidation_ltv),
        interest_saved_usd_per_year=interest * repaid,
    )
