"""The money of a site file: investments, debt and tax from its tables [[capex]], [[debt]] and [tax]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.file.build_blocks import frac
from sites.file.contracts.money_tables import BtcLoanTable
from sites.money.assets import Asset
from sites.money.btc_loan import BtcLoanTerms
from sites.money.cash import Plan
from sites.money.debt import DebtTerms
from sites.money.tax import TaxTerms

if TYPE_CHECKING:
    from sites.file.contracts.money_tables import CapexTable, LoanTable, TaxTable
    from sites.file.contracts.tables import MoneyTables


def plan_of(tables: MoneyTables) -> Plan:
    """Return the investments, the debt and the tax that tables of a site file describe."""
    return Plan(
        assets=tuple(_asset(table) for table in tables.capex),
        debts=tuple(_btc(table) if isinstance(table, BtcLoanTable) else _loan(table) for table in tables.debt),
        tax=_tax(tables.tax) if tables.tax is not None else None,
    )


def _asset(table: CapexTable) -> Asset:
    return Asset(
        name=table.name,
        usd=table.usd.value,
        paid=table.paid,
        in_service=table.in_service or table.paid,
        method=table.method,
        life_months=int(table.life_months.value) if table.life_months is not None else 1,
        bonus_frac=frac(table.bonus_percent),
        sold=table.sold,
        residual_usd=frac(table.residual_percent) * table.usd.value,
    )


def _loan(table: LoanTable) -> DebtTerms:
    return DebtTerms(
        name=table.name,
        principal_usd=table.principal_usd.value,
        interest_frac=frac(table.interest_percent),
        drawn=table.drawn,
        months=int(table.months.value),
        repayment=table.kind,
        interest_only_months=int(table.interest_only_months.value),
        payment_usd=table.payment_usd.value if table.payment_usd is not None else None,
        fee_frac=frac(table.fee_percent),
        day_count=table.day_count,
        settled_at_end=table.settled_at_end,
    )


def _btc(table: BtcLoanTable) -> BtcLoanTerms:
    return BtcLoanTerms(
        name=table.name,
        principal_usd=table.principal_usd.value,
        collateral_btc=table.collateral_btc.value,
        interest_frac=frac(table.interest_percent),
        drawn=table.drawn,
        repaid=table.repaid,
        margin_call_ltv=frac(table.margin_call_ltv_percent),
        liquidation_ltv=frac(table.liquidation_ltv_percent),
        cured_ltv=frac(table.cured_ltv_percent),
        met_in=table.met_in,
        interest_paid=table.interest_paid,
        sale_cost_frac=frac(table.sale_cost_percent),
    )


def _tax(table: TaxTable) -> TaxTerms:
    return TaxTerms(frac(table.rate_percent), table.losses_usd.value, frac(table.loss_use_percent))
