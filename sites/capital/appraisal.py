"""The appraisal of a capital plan over scenarios: purchase, payback, break-even prices and risk of its loan."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware_profiles.errors import InputError
from sites.capital.breakeven import breakeven_hashprice, breakeven_power
from sites.capital.finance import (
    Loan,
    Payback,
    Sale,
    in_service,
    levelised_usd_per_unit,
    payback,
    touch_probability,
)
from sites.capital.purchase import Bought, conversion_of, purchase
from sites.capital.switching import SwitchPrices, best_share, switch_prices
from sites.capital.waiting import Terms, Waiting, waiting_of
from sites.dispatch.year import site_year
from sites.file.values import assumptions_of
from sites.scenarios.engine import fleet_cases, run_fleet
from sites.scenarios.metrics import site_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sites.arrays import Floats
    from sites.capital.file import LoanTable, PlanFile
    from sites.capital.finance import Service
    from sites.dispatch.year import SiteYear
    from sites.model import Assumption, Site
    from sites.scenarios.engine import Executor, Run


@dataclass(frozen=True, slots=True)
class LoanReport:
    """A loan before and after its repayment; the values after it are None if nothing is left."""

    years: float  # horizon of the probabilities
    ltv_before: float  # loan-to-value
    ltv_after: float | None  # [-] loan-to-value
    margin_call_usd: float | None  # [USD/BTC] trigger price after the repayment
    liquidation_usd: float | None  # [USD/BTC] trigger price after the repayment
    margin_call_before: float  # probability
    liquidation_before: float  # probability
    margin_call_after: float  # probability
    liquidation_after: float  # probability
    interest_saved_usd_per_year: float  # on the repaid amount


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The appraisal of a plan."""

    name: str
    budget_usd: float  # paid for the purchase
    left_over_usd: float  # of the budget, because the site cannot hold more
    bought: str  # the purchase in words
    unit_price: float  # in `unit`
    unit: str  # of the price
    offline_mw: float  # [MW at the meter] of converted power during the lead time
    lost_in_lead_usd: float  # income lost during the lead time
    miners_sold_usd: float  # for the removed miners
    sale_usd_per_btc: float | None
    base_cash_usd: float  # additional cash of the plan's first year in the base case
    first_year_frac: float  # share of the plan's first year in which the purchase is in service
    payback: Payback
    usd_per_btc: float | None  # levelised over the life; None without mining
    usd_per_mtok: float | None  # levelised over the life; None without inference
    breakeven_power_usd_per_mwh: float | None  # mean of the year
    no_breakeven_power: str  # why there is no break-even power price; empty if there is one
    breakeven_hashprice: float | None  # [USD/PH/s/day]
    no_breakeven_hashprice: str  # why there is no break-even hashprice; empty if there is one
    loan: LoanReport | None
    switch: SwitchPrices | None
    best_share: float | None  # to convert
    waiting: Waiting | None  # worth of converting later; None without a conversion, or with too few scenarios
    assumptions: tuple[Assumption, ...]

    def document(self) -> dict[str, object]:
        """Return the report as a JSON document."""
        return asdict(self)


def report(
    plan: PlanFile, load: Callable[[str], Site], run: Run, scenarios: int, *, execute: Executor | None = None
) -> PlanReport:
    """Appraise a plan over scenarios.

    The cash of the investment is the net of the site with it less the net without it, for each year and scenario with
    the same random numbers, times the share of the plan's year in which it is in service. Each month of a year counts
    alike.

    Parameters
    ----------
    plan
        The validated plan.
    load
        Function that returns the Site of a path or an example's name.
    run
        Model and seed of the scenarios.
    scenarios
        Number of scenarios.
    execute
        Executor of the shards, as for run_fleet.

    Raises
    ------
    InputError
        The plan does not fit the site, or it leaves no budget.
    """
    finance, sale = plan.finance, _sale(plan)
    site = load(plan.site)
    bought = purchase(plan, site, load, _budget(plan, sale))
    service = in_service(plan.purchase.lead_years.value, finance.years)
    first_year_frac = sum(part.share for part in service if part.year == 0)
    cash = _cash(bought, run, scenarios, service, execute)
    after = site_year(bought.after)
    net_before_usd = site_year(bought.before).net_usd if bought.before else 0.0
    discount, life = finance.discount_percent.value / 100.0, float(finance.years)
    residual_usd = finance.residual_percent.value / 100.0 * bought.spent_usd
    conversion = conversion_of(plan, load) if bought.before else None
    running = after.energy_usd + after.penalty_usd + after.fixed_usd
    mined = sum(block.btc or 0.0 for block in after.blocks)
    mtok = sum(block.units for block in after.blocks if block.unit == "token") / 1e6
    inferring = _share(after, "inference")
    power, hashprice = breakeven_power(bought.after), breakeven_hashprice(bought.after)

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
        base_cash_usd=(after.net_usd - net_before_usd) * first_year_frac,
        first_year_frac=first_year_frac,
        payback=payback(
            bought.upfront_usd,
            cash,
            discount,
            residual_usd=residual_usd,
            service=service,
        ),
        usd_per_btc=None if conversion else levelised(running, mined),
        usd_per_mtok=levelised(running * inferring, mtok) if conversion else None,
        breakeven_power_usd_per_mwh=power.price,
        no_breakeven_power=power.reason,
        breakeven_hashprice=hashprice.price,
        no_breakeven_hashprice=hashprice.reason,
        loan=_loan(plan, plan.loan, site, run) if plan.loan is not None else None,
        switch=switch_prices(bought.before, conversion) if bought.before and conversion else None,
        best_share=best_share(bought.before, conversion).share if bought.before and conversion else None,
        waiting=waiting_of(
            bought,
            Terms(plan.purchase.lead_years.value, life, discount, residual_usd),
            run,
            scenarios,
            execute=execute,
        ),
        assumptions=tuple(assumptions_of(plan)),
    )


def _sale(plan: PlanFile) -> Sale | None:
    if plan.sale is None:
        return None
    btc = plan.sale.btc.value
    return Sale(btc, plan.sale.proceeds_usd.value / btc, plan.sale.cost_percent.value / 100.0)


def _budget(plan: PlanFile, sale: Sale | None) -> float:
    """Return the budget [USD]: the price, or the proceeds of the sale less the repaid loan."""
    if plan.purchase.price_usd is not None:
        return plan.purchase.price_usd.value
    repaid = plan.loan.repaid_usd.value if plan.loan is not None else 0.0
    budget = (sale.proceeds_usd if sale else 0.0) - repaid
    if budget <= 0:
        raise InputError(f"expected a budget above 0 after the repayment, got {budget:,.0f} USD")
    return budget


def _cash(bought: Bought, run: Run, scenarios: int, service: Sequence[Service], execute: Executor | None) -> Floats:
    """Return the additional cash from the purchase in each service [USD], shape [services, scenarios]."""
    sites = [replace(bought.after, name=f"{bought.after.name} with")]
    if bought.before is not None:
        sites.append(replace(bought.before, name=f"{bought.before.name} without"))
    cases = fleet_cases(sites, run.model, years=[part.year for part in service])
    same = [replace(case, place=cases[0].place) for case in cases]  # both see the same scenarios
    done = run_fleet(same, run, scenarios, execute=execute)
    width = len(sites)
    net = [[site_metric(done, row * width + k, "net_usd") for k in range(width)] for row in range(len(service))]
    return np.array(
        [part.share * (pair[0] - (pair[1] if width > 1 else 0.0)) for part, pair in zip(service, net, strict=True)]
    )


def _share(year: SiteYear, product: str) -> float:
    total = sum(block.facility_mwh for block in year.blocks)
    return sum(block.facility_mwh for block in year.blocks if block.product == product) / total if total > 0 else 0.0


def _loan(plan: PlanFile, table: LoanTable, site: Site, run: Run) -> LoanReport:
    btc = run.model.of("btc")
    interest, repaid = table.interest_percent.value / 100.0, table.repaid_usd.value
    loan = Loan(
        table.principal_usd.value,
        table.collateral_btc.value,
        table.margin_call_ltv_percent.value / 100.0,
        table.liquidation_ltv_percent.value / 100.0,
    )
    remaining = loan.repaid(repaid)
    if remaining is not None and plan.sale is not None and plan.sale.from_collateral:
        remaining = replace(remaining, collateral_btc=remaining.collateral_btc - plan.sale.btc.value)

    def touched(loan: Loan | None, ltv: float) -> float:
        if loan is None:
            return 0.0
        # Interest is added to the loan, so the trigger price grows: the same as a price with a smaller drift.
        drift = (1.0 + btc.drift_frac_per_year) / (1.0 + interest) - 1.0
        return touch_probability(site.btc_usd, loan.trigger_usd(ltv), btc.volatility_frac, table.years.value, drift)

    return LoanReport(
        years=table.years.value,
        ltv_before=loan.ltv(site.btc_usd),
        ltv_after=remaining.ltv(site.btc_usd) if remaining else None,
        margin_call_usd=remaining.trigger_usd(remaining.margin_call_ltv) if remaining else None,
        liquidation_usd=remaining.trigger_usd(remaining.liquidation_ltv) if remaining else None,
        margin_call_before=touched(loan, loan.margin_call_ltv),
        liquidation_before=touched(loan, loan.liquidation_ltv),
        margin_call_after=touched(remaining, loan.margin_call_ltv),
        liquidation_after=touched(remaining, loan.liquidation_ltv),
        interest_saved_usd_per_year=interest * repaid,
    )
