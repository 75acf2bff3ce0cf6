"""The table of a capital plan of `perwatt yield`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cli.output import plain
from bench.cli.table import print_table
from bench.cli.yield_.assumptions import print_plan_assumptions

if TYPE_CHECKING:
    from sites.capital.appraisal import LoanReport, PlanReport
    from sites.capital.switching import SwitchPrices
    from sites.capital.waiting import Waiting


def print_plan(plan: PlanReport, *, every_assumption: bool) -> None:
    """Print purchase, payback, loan risk, switch prices and assumptions of a plan."""
    from sites.capital.switching import IRREVERSIBLE

    rows = [*_purchase_rows(plan), *_return_rows(plan)]
    if plan.loan is not None:
        rows += _loan_rows(plan.loan)
    if plan.switch is not None:
        rows += _switch_rows(plan.switch)
        rows.append(["share of the site that is worth converting now", f"{plan.best_share or 0.0:.0%}"])
        rows += _waiting_rows(plan.waiting)
        rows.append(["irreversible", "; ".join(IRREVERSIBLE)])
    print_table(["capital", plan.name], rows)
    print_plan_assumptions(plan.assumptions, every=every_assumption)


def _purchase_rows(plan: PlanReport) -> list[list[str]]:
    rows = []
    if plan.sale_usd_per_btc is not None:
        rows.append(["bitcoin sold at", f"{plan.sale_usd_per_btc:,.0f} USD"])
    rows.append(["buys", plan.bought])
    rows.append(["for", f"{plan.budget_usd:,.0f} USD: {plain(plan.unit_price)} {plan.unit}"])
    if plan.left_over_usd > 0:
        rows.append(["left over, because the site is full", f"{plan.left_over_usd:,.0f} USD"])
    if plan.offline_mw > 0:
        rows.append(
            [
                "idle during the lead time",
                f"{plan.offline_mw:.1f} MW, which would earn {_usd(plan.lost_in_lead_usd)}",
            ]
        )
        rows.append(["proceeds of the miners taken out", _usd(plan.miners_sold_usd)])
    return rows


def _return_rows(plan: PlanReport) -> list[list[str]]:
    from sites.capital.finance import payback_text

    back, months = plan.payback, 12.0 * plan.first_year_frac
    in_year_1 = "in year 1" if months == 12.0 else f"in {months:.1f} months of year 1"
    return [
        [f"additional cash {in_year_1}, base case", _usd(plan.base_cash_usd)],
        [f"payback within {back.years} years of service", f"{back.probability:.0%} probability"],
        ["payback with 50 % probability in", payback_text(back.p50_years)],
        ["payback with 90 % probability in", payback_text(back.p90_years)],
        ["net present value P50, P90", f"{back.npv_p50_usd:,.0f}, {_usd(back.npv_p90_usd)}"],
        ["net present value above 0", f"{back.npv_positive:.0%} probability"],
        ["levelised cost", _either(plan.usd_per_btc, "USD/BTC") or _either(plan.usd_per_mtok, "USD/Mtok") or "-"],
        [
            "break-even power price",
            _either(plan.breakeven_power_usd_per_mwh, "USD/MWh") or f"none: {plan.no_breakeven_power}",
        ],
        [
            "break-even hashprice",
            _either(plan.breakeven_hashprice, "USD/PH/s/day") or f"none: {plan.no_breakeven_hashprice}",
        ],
    ]


def _loan_rows(loan: LoanReport) -> list[list[str]]:
    after = f"{loan.ltv_after:.0%}" if loan.ltv_after is not None else "repaid"
    call, sale = (loan.margin_call_before, loan.margin_call_after), (loan.liquidation_before, loan.liquidation_after)
    within = f"within {loan.years:g} years" if loan.years != 1 else "within a year"
    rows = [
        ["loan-to-value before, after", f"{loan.ltv_before:.0%}, {after}"],
        [f"margin call {within}, before, after", f"{call[0]:.0%}, {call[1]:.0%} probability"],
        [f"liquidation {within}, before, after", f"{sale[0]:.0%}, {sale[1]:.0%} probability"],
    ]
    if loan.margin_call_usd is not None and loan.liquidation_usd is not None:
        prices = f"{loan.margin_call_usd:,.0f}, {loan.liquidation_usd:,.0f} USD/BTC"
        rows.append(["margin call, liquidation at", prices])
    if loan.interest_saved_usd_per_year > 0:
        rows.append(["interest saved (not included above)", f"{_usd(loan.interest_saved_usd_per_year)} per year"])
    return rows


def _switch_rows(switch: SwitchPrices) -> list[list[str]]:
    from sites.capital.purchase import PRICE_UNITS

    above = _either(switch.btc_usd, "USD/BTC"), _either(switch.hashprice_usd_per_ph_s_day, "USD/PH/s/day")
    price = _either(switch.inference_price, PRICE_UNITS[switch.priced_per])
    mining, converting = ("at no price", "at any price") if switch.converting_now else ("at any price", "at no price")
    return [
        ["mining is worth more above", " or ".join(text for text in above if text)]
        if any(above)
        else ["mining is worth more", f"{mining} of BTC within a factor of 1,000"],
        ["converting is worth more above", price]
        if price
        else ["converting is worth more", f"{converting} within a factor of 1,000"],
    ]


def _waiting_rows(waiting: Waiting | None) -> list[list[str]]:
    if waiting is None:
        return [["worth of waiting", "unknown: the regression needs 200 scenarios"]]
    never = 1.0 - sum(waiting.shares)
    later = sum(waiting.shares[1:])
    return [
        ["worth of waiting", f"{waiting.worth_usd:,.0f} ± {_usd(waiting.worth_se_usd)} (standard error)"],
        [
            f"converting now, or in up to {len(waiting.shares) - 1} years, or never",
            f"{waiting.value_usd:,.0f} ± {_usd(waiting.value_se_usd)} at least; now {_usd(waiting.now_usd)}",
        ],
        ["the policy converts", f"now {waiting.shares[0]:.0%}, later {later:.0%}, never {never:.0%} of the paths"],
        ["its value on the paths that it was fitted on", _usd(waiting.in_sample_usd)],
    ]


def _usd(value: float) -> str:
    return f"{value:,.0f} USD"


def _either(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{plain(value)} {unit}"
