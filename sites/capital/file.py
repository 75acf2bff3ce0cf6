"""The tables and keys of a capital plan (TOML): purchase, sale of bitcoin, loan and terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from hardware_profiles.reading import read_toml, validate
from sites.file.ranges import Range
from sites.file.values import Model, Percent, Positive, Value, assumed, within

if TYPE_CHECKING:
    from pathlib import Path

Text = Annotated[str, Field(min_length=1)]
Ltv = Annotated[Value, *within(Range(0.01, 100, "per cent"))]
Rate = Annotated[Value, *within(Range(0, 1000, "per cent a year"))]
LeadYears = Annotated[Value, *within(Range(0, 20, "years"))]
LoanYears = Annotated[Value, *within(Range(0.01, 50, "years"))]
Usd = Annotated[Value, *within(Range(0, 1e15, "USD"))]


class SaleTable(Model):
    """[sale]: the sold bitcoin, its total proceeds, and whether it was collateral of the loan."""

    btc: Positive
    proceeds_usd: Positive
    cost_percent: Percent = assumed(0.0)
    from_collateral: Annotated[bool, Field(strict=True)] = False


class LoanTable(Model):
    """[loan]: a loan with bitcoin as collateral, whose interest is added to it."""

    principal_usd: Positive
    collateral_btc: Positive
    margin_call_ltv_percent: Ltv
    liquidation_ltv_percent: Ltv
    interest_percent: Rate = assumed(0.0)
    repaid_usd: Usd = assumed(0.0)  # from the sale
    years: LoanYears = assumed(1.0)  # horizon of the probabilities

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        call, sale = self.margin_call_ltv_percent.value, self.liquidation_ltv_percent.value
        if call >= sale:
            raise ValueError(f"expected margin_call_ltv_percent below liquidation_ltv_percent ({sale:g}), got {call:g}")
        if self.repaid_usd.value > self.principal_usd.value:
            raise ValueError(
                f"expected repaid_usd of at most principal_usd ({self.principal_usd.value:,.0f}), "
                f"got {self.repaid_usd.value:,.0f}"
            )
        return self


class PurchaseTable(Model):
    """[purchase]: hash rate or a whole site at price_usd, or GPU modules at usd_per_mw."""

    kind: Annotated[str, Field(pattern="^(hashrate|site|gpu_modules)$")]
    price_usd: Positive | None = None
    hashrate_eh_s: Positive | None = None
    mw: Positive | None = None
    usd_per_mw: Positive | None = None
    lead_years: LeadYears = assumed(0.0)
    offline_percent: Percent = assumed(50.0)  # share of the lead time in which converted megawatts are offline
    miner_usd_per_th_s: Usd = assumed(0.0)  # price of a removed miner

    @model_validator(mode="after")
    def _enough(self) -> Self:
        required = {"hashrate": "hashrate_eh_s", "site": "mw", "gpu_modules": "usd_per_mw"}[self.kind]
        if getattr(self, required) is None:
            raise ValueError(f"expected {required} for kind {self.kind!r}, got none")
        if self.kind != "gpu_modules" and self.price_usd is None:
            raise ValueError("expected price_usd, got none")
        return self


class FinanceTable(Model):
    """[finance]: horizon, discount rate and residual value."""

    years: Annotated[int, Field(strict=True, ge=1, le=30)] = 5
    discount_percent: Rate
    residual_percent: Percent = assumed(0.0)


class PlanFile(Model):
    """A capital plan."""

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
            raise ValueError("expected module_from (a site with a GPU block) for gpu_modules, got none")
        if modules and self.purchase.price_usd is None and self.sale is None:
            raise ValueError("expected purchase.price_usd or a [sale] that pays, got neither")
        if self.loan is not None and self.loan.repaid_usd.value > 0 and self.sale is None:
            raise ValueError("expected a [sale] that pays loan.repaid_usd, got none")
        if self.sale is not None and self.sale.from_collateral:
            self._check_collateral(self.sale)
        return self

    def _check_collateral(self, sale: SaleTable) -> None:
        if self.loan is None:
            raise ValueError("expected a [loan] with sale.from_collateral, got none")
        pledged, repaid_in_full = (
            self.loan.collateral_btc.value,
            self.loan.repaid_usd.value >= self.loan.principal_usd.value,
        )
        if sale.btc.value > pledged or (sale.btc.value == pledged and not repaid_in_full):
            raise ValueError(
                f"expected sale.btc below loan.collateral_btc ({pledged:,g}), because it is part of the collateral, "
                f"got {sale.btc.value:,g}"
            )


def read_plan(path: Path) -> PlanFile:
    """Read a plan; raise InputError, naming file and key, if it is invalid."""
    return validate(PlanFile, read_toml(path), path)
