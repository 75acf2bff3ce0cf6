"""The tables and keys of a capital plan (TOML): purchase, sale of bitcoin, loan and terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from hardware_profiles.reading import read_toml, validate
from hardware_profiles.tables import Broken, Table, rule
from sites.file.ranges import Range
from sites.file.values import Percent, Positive, Value, assumed, whole, within

if TYPE_CHECKING:
    from pathlib import Path

Text = Annotated[str, Field(min_length=1)]
Ltv = Annotated[Value, *within(Range(0.01, 100, "per cent"))]
Rate = Annotated[Value, *within(Range(0, 1000, "per cent a year"))]
LeadYears = Annotated[Value, *within(Range(0, 20, "years"))]
LoanYears = Annotated[Value, *within(Range(0.01, 50, "years"))]
Usd = Annotated[Value, *within(Range(0, 1e15, "USD"))]
Years = Annotated[int, Field(ge=1, le=30), BeforeValidator(whole)]


SIZE_KEYS = {"hashrate": "hashrate_eh_s", "site": "mw", "gpu_modules": "usd_per_mw"}  # of each kind of purchase


class SaleTable(Table):
    """[sale]: the sold bitcoin, its total proceeds, and whether it was collateral of the loan."""

    btc: Positive
    proceeds_usd: Positive
    cost_percent: Percent = assumed(0.0)
    from_collateral: Annotated[bool, Field(strict=True)] = False


class LoanTable(Table):
    """[loan]: a loan with bitcoin as collateral, whose interest is added to it."""

    principal_usd: Positive
    collateral_btc: Positive
    margin_call_ltv_percent: Ltv
    liquidation_ltv_percent: Ltv
    interest_percent: Rate = assumed(0.0)
    repaid_usd: Usd = assumed(0.0)  # from the sale
    years: LoanYears = assumed(1.0)  # horizon of the probabilities

    @rule
    def _call_before_sale(self) -> Iterator[Broken]:
        call, sale = self.margin_call_ltv_percent.value, self.liquidation_ltv_percent.value
        if call >= sale:
            yield Broken(f"expected margin_call_ltv_percent below liquidation_ltv_percent ({sale:g}), got {call:g}")

    @rule
    def _repaid_at_most_once(self) -> Iterator[Broken]:
        repaid, principal = self.repaid_usd.value, self.principal_usd.value
        if repaid > principal:
            yield Broken(f"expected repaid_usd of at most principal_usd ({principal:,.0f}), got {repaid:,.0f}")


class PurchaseTable(Table):
    """[purchase]: hash rate or a whole site at price_usd, or GPU modules at usd_per_mw."""

    kind: Literal["hashrate", "site", "gpu_modules"]
    price_usd: Positive | None = None
    hashrate_eh_s: Positive | None = None
    mw: Positive | None = None
    usd_per_mw: Positive | None = None
    lead_years: LeadYears = assumed(0.0)
    offline_percent: Percent = assumed(50.0)  # share of the lead time in which converted megawatts are offline
    miner_usd_per_th_s: Usd = assumed(0.0)  # price of a removed miner

    in_schema = (
        *(
            {"if": {"properties": {"kind": {"const": kind}}}, "then": {"required": [key]}}
            for kind, key in SIZE_KEYS.items()
        ),
        {"if": {"properties": {"kind": {"const": "gpu_modules"}}}, "else": {"required": ["price_usd"]}},
    )

    @rule
    def _size_of_its_kind(self) -> Iterator[Broken]:
        required = SIZE_KEYS[self.kind]
        if getattr(self, required) is None:
            yield Broken(f"expected {required} for kind {self.kind!r}, got none")

    @rule
    def _priced(self) -> Iterator[Broken]:
        if self.kind != "gpu_modules" and self.price_usd is None:
            yield Broken("expected price_usd, got none")


class FinanceTable(Table):
    """[finance]: horizon, discount rate and residual value."""

    years: Years = 5
    discount_percent: Rate
    residual_percent: Percent = assumed(0.0)


class PlanFile(Table):
    """A capital plan."""

    name: Text
    note: str = ""
    site: Text
    module_from: Text | None = None
    purchase: PurchaseTable
    sale: SaleTable | None = None
    loan: LoanTable | None = None
    finance: FinanceTable

    @rule
    def _modules_from_a_site(self) -> Iterator[Broken]:
        if self.purchase.kind == "gpu_modules" and self.module_from is None:
            yield Broken("expected module_from (a site with a GPU block) for gpu_modules, got none")

    @rule
    def _modules_paid(self) -> Iterator[Broken]:
        if self.purchase.kind == "gpu_modules" and self.purchase.price_usd is None and self.sale is None:
            yield Broken("expected purchase.price_usd or a [sale] that pays, got neither")

    @rule
    def _loan_repaid_by_a_sale(self) -> Iterator[Broken]:
        if self.loan is not None and self.loan.repaid_usd.value > 0 and self.sale is None:
            yield Broken("expected a [sale] that pays loan.repaid_usd, got none")

    @rule
    def _within_the_collateral(self) -> Iterator[Broken]:
        sale, loan = self.sale, self.loan
        if sale is None or not sale.from_collateral:
            return
        if loan is None:
            yield Broken("expected a [loan] with sale.from_collateral, got none")
            return
        pledged, repaid_in_full = loan.collateral_btc.value, loan.repaid_usd.value >= loan.principal_usd.value
        if sale.btc.value > pledged or (sale.btc.value == pledged and not repaid_in_full):
            yield Broken(
                f"expected sale.btc below loan.collateral_btc ({pledged:,g}), because it is part of the collateral, "
                f"got {sale.btc.value:,g}"
            )


def read_plan(path: Path) -> PlanFile:
    """Read a plan; raise InputError, naming file and key, if it is invalid."""
    return validate(PlanFile, read_toml(path), path)
