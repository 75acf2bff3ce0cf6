"""The tables of money: [[capex]], [[debt]] and [tax]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from hardware_profiles.tables import Broken, Table, rule
from sites.file.contracts.quantities import Dollars, Interest, LoanToValue, Payments, PaymentsOrNone  # noqa: TC001 (pydantic reads them)
from sites.file.values import Day, Flag, Name, Percent, Positive, assumed


class CapexTable(Table):
    """[[capex]]: an investment, its depreciation, and what it is worth in the end."""

    name: Name
    paid: Day
    in_service: Day | None = None  # the day of payment if absent
    usd: Positive
    method: Literal["straight line", "macrs 5", "macrs 15", "none"] = "straight line"
    life_months: Payments | None = None  # of the straight line
    bonus_percent: Percent = assumed(0.0)
    sold: Day | None = None  # the last day of the horizon if absent
    residual_percent: Percent = assumed(0.0)  # of the price, when it is sold

    in_schema = (
        {
            "if": {"properties": {"method": {"const": "straight line"}}},
            "then": {"required": ["life_months"]},
            "else": {"not": {"required": ["life_months"]}},
        },
    )

    @rule
    def _life_of_a_straight_line(self) -> Iterator[Broken]:
        if (self.method == "straight line") != (self.life_months is not None):
            yield Broken('expected life_months with method = "straight line", and only with it')


class LoanTable(Table):
    """[[debt]] of kind "bullet", "level payment" or "equal principal"."""

    kind: Literal["bullet", "level payment", "equal principal"]
    name: Name
    principal_usd: Positive
    interest_percent: Interest  # nominal, a year
    drawn: Day
    months: Payments
    interest_only_months: PaymentsOrNone = assumed(0.0)
    payment_usd: Positive | None = None
    fee_percent: Percent = assumed(0.0)
    day_count: Literal["30/360", "actual/365", "actual/360"] = "30/360"
    settled_at_end: Flag = False

    in_schema = ({"if": {"required": ["payment_usd"]}, "then": {"properties": {"kind": {"const": "level payment"}}}},)

    @rule
    def _payment_of_a_level_one(self) -> Iterator[Broken]:
        if self.payment_usd is not None and self.kind != "level payment":
            yield Broken('expected this key only with kind = "level payment"', ("payment_usd",))

    @rule
    def _repaid(self) -> Iterator[Broken]:
        payment, principal = self.payment_usd, self.principal_usd.value
        if payment is not None:
            interest = principal * self.interest_percent.value / 1200.0
            if payment.value <= interest:
                yield Broken(
                    f"expected above the interest of a month ({interest:,.2f} USD), else it is never repaid, "
                    f"got {payment.value:,.2f}",
                    ("payment_usd",),
                )


class BtcLoanTable(Table):
    """[[debt]] of kind "btc": a loan against bitcoin with margin calls, repaid in one sum."""

    kind: Literal["btc"]
    name: Name
    principal_usd: Positive
    collateral_btc: Positive
    interest_percent: Interest
    drawn: Day
    repaid: Day
    margin_call_ltv_percent: LoanToValue
    liquidation_ltv_percent: LoanToValue
    cured_ltv_percent: LoanToValue
    met_in: Literal["btc", "usd"] = "btc"
    interest_paid: Flag = True
    sale_cost_percent: Percent = assumed(0.0)

    @rule
    def _levels_in_order(self) -> Iterator[Broken]:
        cured, call, sale = (
            ltv.value for ltv in (self.cured_ltv_percent, self.margin_call_ltv_percent, self.liquidation_ltv_percent)
        )
        if not cured < call < sale:
            yield Broken(
                "expected cured_ltv_percent below margin_call_ltv_percent below liquidation_ltv_percent, "
                f"got {cured:g}, {call:g} and {sale:g}"
            )

    @rule
    def _repaid_after_drawn(self) -> Iterator[Broken]:
        if self.repaid < self.drawn:
            yield Broken(f"expected a day from drawn ({self.drawn}) on, got {self.repaid}", ("repaid",))


class TaxTable(Table):
    """[tax]: the tax on income."""

    rate_percent: Percent
    losses_usd: Dollars = assumed(0.0)  # carried into the horizon
    loss_use_percent: Percent = assumed(100.0)  # of a year's income that carried losses may offset


_KINDS = {"bullet": "<loan>", "level payment": "<loan>", "equal principal": "<loan>", "btc": "<btc>"}


def _kind(content: Any) -> str | None:
    kind = content.get("kind") if isinstance(content, dict) else getattr(content, "kind", None)
    return _KINDS.get(kind) if isinstance(kind, str) else None


DebtTable = Annotated[
    Annotated[LoanTable, Tag("<loan>")] | Annotated[BtcLoanTable, Tag("<btc>")],
    Discriminator(
        _kind,
        custom_error_type="value_error",
        custom_error_context={"error": f"expected a kind of {', '.join(_KINDS)}, got another or none"},
    ),
]
