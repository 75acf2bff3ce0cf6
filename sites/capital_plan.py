"""A plan of capital in a TOML file: what is bought, what pays for it, and what it does to a site in every scenario."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from hardware_profiles.errors import InputError
from hardware_profiles.reading import read_toml, validate
from sites.capital import (
    Loan,
    Payback,
    Sale,
    breakeven_hashprice,
    breakeven_power_usd_per_mwh,
    levelised_usd_per_unit,
    payback,
    touch_probability,
    usd_per_mw,
    usd_per_th_s,
)
from sites.fleet import fleet_cases, run_fleet
from sites.fleet_metrics import site_metric
from sites.mining import hashprice_usd_per_ph_s_day, mean_reward
from sites.switching import Conversion, SwitchPrices, best_share, converted, mining_mw, switch_map, switch_prices
from sites.values import Assumption, Model, NotNegative, Percent, Positive, assumed, assumptions_of
from sites.year import site_year

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sites.fleet import Run
    from sites.model import Site

Text = Annotated[str, Field(min_length=1)]
HOUR_S = 3600


class SaleTable(Model):
    """[sale]: bitcoin that is sold, what it fetched in all, and whether it was pledged for the loan."""

    btc: Positive
    proceeds_usd: Positive
    cost_percent: Percent = assumed(0.0)
    from_collateral: bool = False


class LoanTable(Model):
    """[loan]: a loan on bitcoin, and what is repaid of it from the sale."""

    principal_usd: Positive
    collateral_btc: Positive
    margin_call_ltv_percent: Positive
    liquidation_ltv_percent: Positive
    interest_percent: NotNegative = assumed(0.0)
    repaid_usd: NotNegative = assumed(0.0)
    years: Positive = assumed(1.0)


class PurchaseTable(Model):
    """[purchase]: what is bought. price_usd pays for hash rate, for megawatts, or for GPU modules at usd_per_mw.

    offline_percent: of the lead time in which converted megawatts stand still. miner_usd_per_th_s: a removed miner's.
    """

    kind: Annotated[str, Field(pattern="^(hashrate|site|gpu_modules)$")]
    price_usd: Positive | None = None
    hashrate_eh_s: Positive | None = None
    mw: Positive | None = None
    usd_per_mw: Positive | None = None
    lead_years: NotNegative = assumed(0.0)
    offline_percent: Percent = assumed(50.0)
    miner_usd_per_th_s: NotNegative = assumed(0.0)

    @model_validator(mode="after")
    def _enough(self) -> Self:
        wanted = {"hashrate": "hashrate_eh_s", "site": "mw", "gpu_modules": "usd_per_mw"}[self.kind]
        if getattr(self, wanted) is None:
            raise ValueError(f"expected {wanted} for kind {self.kind!r}, got none")
        if self.kind != "gpu_modules" and self.price_usd is None:
            raise ValueError("expected price_usd, got none")
        return self


class FinanceTable(Model):
    """[finance]: how long, and at what rate."""

    years: Annotated[int, Field(ge=1, le=30)] = 5
    discount_percent: NotNegative
    residual_percent: Percent = assumed(0.0)


class PlanFile(Model):
    """A whole plan."""

    name: Text
    note: str = ""
    site: Text
    module_from: Text | None = None
    purchase: PurchaseTable
    sale: SaleTable | None = None
    loan: LoanTable | None = None
    finance: FinanceTable

    @model_validator(mode="after")
    def _paid(self) -> Self:
        modules = self.purchase.kind == "gpu_modules"
        if modules and self.module_from is None:
            raise ValueError("expected module_from (a site with the GPU block) for gpu_modules, got none")
        if modules and self.purchase.price_usd is None and self.sale is None:
            raise ValueError("expected purchase.price_usd, or a [sale] that pays, got neither")
        if self.loan is not None and self.loan.repaid_usd.value > 0 and self.sale is None:
            raise ValueError("expected a [sale] that pays loan.repaid_usd, got none")
        return self


@dataclass(frozen=True, slots=True)
class LoanReport:
    """A loan before and after: loan-to-value, trigger prices [USD/BTC], and the probabilities of touching them."""

    ltv_before: float
    ltv_after: float | None
    margin_call_usd: float | None
    liquidation_usd: float | None
    margin_call_before: float
    liquidation_before: float
    margin_call_after: float
    liquidation_after: float


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a plan buys and what comes of it.

    budget_usd: left for the purchase. bought: in words. unit_price: of what is bought, with its unit. net: first year's
    additional cash in the base case [USD]. usd_per_btc, usd_per_mtok: levelised over the life, None where none is made.
    """

    name: str
    budget_usd: float
    bought: str
    unit_price: float
    unit: str
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
        return {**asdict(replace(self, assumptions=())), "assumptions": [a.model_dump() for a in self.assumptions]}


def read_plan(path: Path) -> PlanFile:
    """Read a plan. Raises InputError, naming file and key, for whatever is wrong with it."""
    return validate(PlanFile, read_toml(path), path)


def report(plan: PlanFile, load: Callable[[str], Site], run: Run, scenarios: int) -> PlanReport:
    """Work a plan out over scenarios.

    load: turns the name of a site or example into a Site. The investment's cash is a site's net with it less the net
    without it, year by year and scenario by scenario, on the same random numbers.
    """
    import numpy as np

    bought = plan.purchase
    finance = plan.finance
    sale = None
    if plan.sale is not None:
        btc = plan.sale.btc.value
        sale = Sale(btc, plan.sale.proceeds_usd.value / btc, plan.sale.cost_percent.value / 100.0)
    repaid = plan.loan.repaid_usd.value if plan.loan is not None else 0.0
    budget = bought.price_usd.value if bought.price_usd is not None else (sale.proceeds_usd if sale else 0.0) - repaid
    if budget <= 0:
        raise InputError(f"plan {plan.name!r}: expected something left to buy with, got {budget:,.0f} USD")
    site = load(plan.site)
    before, after, text, unit_price, unit = _sites(plan, site, load, budget)
    years = range(finance.years)
    pair = [replace(after, name=f"{site.name} with")] + (
        [replace(before, name=f"{site.name} without")] if before else []
    )
    cases = fleet_cases(pair, run.model, years=tuple(years))
    same = [replace(case, place=cases[0].place) for case in cases]  # one site, with and without: the same scenarios
    done = run_fleet(same, run, scenarios)
    width = len(pair)
    cash = np.array(
        [
            site_metric(done, year * width, "net_usd")
            - (site_metric(done, year * width + 1, "net_usd") if before else 0.0)
            for year in years
        ]
    )
    year_with = site_year(after)
    base = year_with.net_usd - (site_year(before).net_usd if before else 0.0)
    discount, life = finance.discount_percent.value / 100.0, float(finance.years)
    mined = sum(block.btc or 0.0 for block in year_with.blocks)
    mtok = sum(block.units for block in year_with.blocks if block.unit == "token") / 1e6
    running = year_with.energy_usd + year_with.penalty_usd + year_with.fixed_usd
    modules = bought.kind == "gpu_modules"
    conversion = conversion_of(plan, load) if modules else None
    start = before or site
    tokens_share = _share(year_with, "inference")
    reward = mean_reward(site.start_s, site.start_s + HOUR_S * site.hours, site.path).btc_per_hash
    hashprice = hashprice_usd_per_ph_s_day(reward, site.btc_usd, fees_frac=float(site.fees_frac.mean()))
    mining_usd = sum(block.revenue_usd for block in year_with.blocks if block.product == "mining")
    return PlanReport(
        name=plan.name,
        budget_usd=budget,
        bought=text,
        unit_price=unit_price,
        unit=unit,
        sale_usd_per_btc=sale.btc_usd if sale else None,
        base_cash_usd=base,
        payback=payback(
            budget,
            cash,
            discount,
            residual_frac=finance.residual_percent.value / 100.0,
            lead_years=bought.lead_years.value,
        ),
        usd_per_btc=None if modules else levelised_usd_per_unit(budget, running, mined, discount, life),
        usd_per_mtok=levelised_usd_per_unit(budget, running * tokens_share, mtok, discount, life) if modules else None,
        breakeven_power_usd_per_mwh=breakeven_power_usd_per_mwh(
            year_with.net_usd, year_with.metered_mwh, float(site.spot_usd_per_mwh.mean())
        ),
        breakeven_hashprice=breakeven_hashprice(hashprice, year_with.net_usd, mining_usd),
        loan=_loan(plan, plan.loan, site, run) if plan.loan is not None else None,
        switch=switch_prices(start, conversion) if conversion else None,
        best_share=best_share(start, conversion).share if conversion else None,
        assumptions=tuple(assumptions_of(plan)),
    )


def conversion_of(plan: PlanFile, load: Callable[[str], Site]) -> Conversion:
    """Return the conversion that a plan of GPU modules is an example of."""
    source, finance = load(plan.module_from or ""), plan.finance
    if not source.inference:
        raise InputError(f"plan {plan.name!r}: key module_from: expected a site with an inference block, got none")
    return Conversion(
        module=source.inference[0],
        capex_usd_per_mw=plan.purchase.usd_per_mw.value if plan.purchase.usd_per_mw else 0.0,
        lead_years=plan.purchase.lead_years.value,
        offline_frac=plan.purchase.offline_percent.value / 100.0,
        life_years=float(finance.years),
        discount_frac=finance.discount_percent.value / 100.0,
        residual_frac=finance.residual_percent.value / 100.0,
        miner_usd_per_th_s=plan.purchase.miner_usd_per_th_s.value,
    )


def switch_map_of(
    plan: PlanFile, load: Callable[[str], Site]
) -> tuple[NDArray[np.float64], list[float], list[float], str]:
    """Return best shares over BTC and inference prices for a plan of GPU modules, both prices, the price's unit."""
    site, conversion = load(plan.site), conversion_of(plan, load)
    if not (site.gpu_pue > 1.0).any():
        site = replace(site, gpu_pue=0.0 * site.gpu_pue + float(load(plan.module_from or "").gpu_pue.mean()))
    btc, prices = (0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0), (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
    module = conversion.module
    unit = {"token": "USD/Mtok", "gpu_hour": "USD/GPU-h", "kw_month": "USD/kW-month"}[module.priced_per]
    shares = switch_map(site, conversion, btc, prices)
    return shares, [factor * site.btc_usd for factor in btc], [factor * module.price_usd for factor in prices], unit


def _share(year: object, product: str) -> float:
    blocks = year.blocks  # type: ignore[attr-defined]
    whole = sum(block.facility_mwh for block in blocks)
    return sum(block.facility_mwh for block in blocks if block.product == product) / whole if whole > 0 else 0.0


def _sites(
    plan: PlanFile, site: Site, load: Callable[[str], Site], budget: float
) -> tuple[Site | None, Site, str, float, str]:
    """Return the site without and with the purchase, what is bought in words, and its price with unit."""
    bought = plan.purchase
    if bought.hashrate_eh_s is not None and bought.kind == "hashrate":
        hashes = bought.hashrate_eh_s.value * 1e18
        have = sum(block.count * block.rate.rate_per_s for block in site.mining)
        scale = hashes / have
        mining = tuple(replace(block, count=block.count * scale) for block in site.mining)
        grown = replace(
            site,
            mining=mining,
            inference=(),
            interconnect_mw=site.interconnect_mw * scale,
            limit_mw=site.limit_mw * scale,
        )
        price = usd_per_th_s(budget, hashes)
        return None, grown, f"{bought.hashrate_eh_s.value:g} EH/s of {site.mining[0].rate.name}", price, "USD per TH/s"
    if bought.mw is not None and bought.kind == "site":
        return None, site, f"a site of {bought.mw.value:g} MW", usd_per_mw(budget, bought.mw.value), "USD per MW"
    per_mw = bought.usd_per_mw.value if bought.usd_per_mw is not None else 0.0
    source = load(plan.module_from or "")
    if not source.inference:
        raise InputError(f"plan {plan.name!r}: key module_from: expected a site with an inference block, got none")
    module = source.inference[0]
    if not (site.gpu_pue > 1.0).any():
        site = replace(site, gpu_pue=0.0 * site.gpu_pue + float(source.gpu_pue.mean()))
    mw = min(budget / per_mw, mining_mw(site))
    after = converted(site, module, mw / mining_mw(site))
    gpus = sum(block.count for block in after.inference if block.name == module.name)
    text = f"{mw:.1f} MW of GPU modules: {gpus:,.0f} GPUs of {module.rate.name}"
    return site, after, text, per_mw, "USD per MW"


def _loan(plan: PlanFile, table: LoanTable, site: Site, run: Run) -> LoanReport:
    given = run.model.of("btc")
    loan = Loan(
        table.principal_usd.value,
        table.collateral_btc.value,
        table.margin_call_ltv_percent.value / 100.0,
        table.liquidation_ltv_percent.value / 100.0,
        table.interest_percent.value / 100.0,
    )
    left = loan.repaid(table.repaid_usd.value)
    if left is not None and plan.sale is not None and plan.sale.from_collateral:
        left = replace(left, collateral_btc=left.collateral_btc - plan.sale.btc.value)

    def touched(one: Loan | None, ltv: float) -> float:
        if one is None:
            return 0.0
        return touch_probability(
            site.btc_usd, one.trigger_usd(ltv), given.volatility_frac, table.years.value, given.drift_frac_per_year
        )

    return LoanReport(
        ltv_before=loan.ltv(site.btc_usd),
        ltv_after=left.ltv(site.btc_usd) if left else None,
        margin_call_usd=left.trigger_usd(left.margin_call_ltv) if left else None,
        liquidation_usd=left.trigger_usd(left.liquidation_ltv) if left else None,
        margin_call_before=touched(loan, loan.margin_call_ltv),
        liquidation_before=touched(loan, loan.liquidation_ltv),
        margin_call_after=touched(left, loan.margin_call_ltv),
        liquidation_after=touched(left, loan.liquidation_ltv),
    )
