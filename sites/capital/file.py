"""Plans of capital (TOML): what is bought, what pays for it, and on what terms."""

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
    """[sale]: bitcoin that is sold, what it fetched in all, and whether it was pledged for the loan."""

    btc: Positive
    proceeds_usd: Positive
    cost_percent: Percent = assumed(0.0)
    from_collateral: Annotated[bool, Field(strict=True)] = False


class LoanTable(Model):
    """[loan]: a loan on bitcoin, its interest added to it; what is repaid from the sale, and the years looked at."""

    principal_usd: Positive
    collateral_btc: Positive
    margin_call_ltv_percent: Ltv
    liquidation_ltv_percent: Ltv
    interest_percent: Rate = assumed(0.0)
    repaid_usd: Usd = assumed(0.0)
    years: LoanYears = assumed(1.0)

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
    """[purchase]: what is bought. price_usd pays for hash rate, for megawatts, or for GPU modules at usd_per_mw.

    offline_percent: of the lead time in which converted megawatts stand still. miner_usd_per_th_s: a removed miner's.
    """

    kind: Annotated[str, Field(pattern="^(hashrate|site|gpu_modules)$")]
    price_usd: Positive | None = None
    hashrate_eh_s: Positive | None = None
    mw: Positive | None = None
    usd_per_mw: Positive | None = None
    lead_years: LeadYears = assumed(0.0)
    offline_percent: Percent = assumed(50.0)
    miner_usd_per_th_s: Usd = assumed(0.0)

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

    years: Annotated[int, Field(strict=True, ge=1, le=30)] = 5
    discount_percent: Rate
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
        if self.sale is not None and self.sale.from_collateral:
            self._check_collateral(self.sale)
        return self

    def _check_collateral(self, sale: SaleTable) -> None:
        if self.loan is None:
            raise ValueError("expected a [loan] beside sale.from_collateral, got none")
        pledged, whole = self.loan.collateral_btc.value, self.loan.repaid_usd.value >= self.loan.principal_usd.value
        if sale.btc.value > pledged or (sale.btc.value == pledged and not whole):
            raise ValueError(
                f"expected sale.btc below loan.collateral_btc ({pledged:,g}), as it is sold from the collateral, "
                f"got {sale.btc.value:,g}"
            )


def read_plan(path: Path) -> PlanFile:
    """Read a plan. Raises InputError, naming file and key, for whatever is wrong with it."""
    return validate(PlanFile, read_toml(path), path)
