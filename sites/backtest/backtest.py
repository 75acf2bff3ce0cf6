"""The backtest of the mining model: predicted against reported bitcoin of each month, and the errors."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sites.backtest.reports import Report, refusal
from sites.market.bitcoin import HOLD, DifficultyPath, bundled_epochs, known_until_unix, known_until_utc, stretches
from sites.market.mining import expected_btc, month_bounds_s

EH = 1e18
RECENT_FROM = "2025-01"
RECENT_TO = "2026-12"
BOUND_FRAC = 0.010
METHOD = "subsidy only, average operating hash rate, difficulty per epoch"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the backtest; a refused row has no prediction."""

    report: Report
    refused: str | None  # the reason, or None for an accepted row
    predicted_btc: float | None  # from the subsidy only
    error_frac: float | None  # predicted over reported, less 1
    start_basis: str | None  # of the start times of the difficulty epochs: header or reconstructed


@dataclass(frozen=True, slots=True)
class Summary:
    """The errors (predicted over reported, less 1) of accepted rows; None if there are too few rows."""

    n: int  # rows
    mean_error_frac: float | None  # [-]
    sd_error_frac: float | None  # [-] standard deviation
    mean_abs_error_frac: float | None  # [-] mean of the absolute errors
    worst_error_frac: float | None  # [-] error with the largest absolute value


def backtest(reports: Sequence[Report], path: DifficultyPath = HOLD) -> list[Outcome]:
    """Predict every report, or refuse it with a reason; a month that is reported twice counts once.

    Parameters
    ----------
    reports
        The monthly reports.
    path
        The difficulty data, with epochs of the user's after the bundled ones; a month after the data is refused.
    """
    seen: dict[tuple[str, str], int] = {}
    outcomes = []
    for report in reports:
        reason = refusal(report) or _outside_data(report, path) or _no_production(report)
        key = (report.company.casefold(), report.month)
        if reason is None and key in seen:
            reason = f"the same company and month as line {seen[key]}"
        if reason is None:
            seen[key] = report.line
        outcomes.append(_outcome(report, reason, path))
    return outcomes


def _outcome(report: Report, reason: str | None, path: DifficultyPath) -> Outcome:
    if reason is not None or report.avg_operating_ehs is None:
        return Outcome(report, reason, None, None, None)
    start, end = month_bounds_s(report.month)
    predicted = expected_btc(report.avg_operating_ehs * EH, start, end, path=path)
    reconstructed = any(part.basis == "reconstructed" for part in stretches(start, end, path))
    basis = "reconstructed" if reconstructed else "header"
    return Outcome(report, None, predicted, predicted / report.btc_produced - 1.0, basis)


def _outside_data(report: Report, path: DifficultyPath) -> str | None:
    start, end = month_bounds_s(report.month)
    if start < bundled_epochs()[0].start_unix:
        return "before the first block"
    if end > known_until_unix(path):
        return (
            f"after the difficulty data, which end {known_until_utc(path)}; `perwatt feed difficulty` gets later ones "
            "for --difficulty"
        )
    return None


def _no_production(report: Report) -> str | None:
    return "no bitcoin produced, so no relative error" if report.btc_produced == 0 else None


def summarise(outcomes: Sequence[Outcome], *, recent_only: bool = False) -> Summary:
    """Return the errors of the accepted outcomes, or only of those of 2025 and 2026."""
    errors = [
        outcome.error_frac
        for outcome in outcomes
        if outcome.error_frac is not None and (not recent_only or RECENT_FROM <= outcome.report.month <= RECENT_TO)
    ]
    if not errors:
        return Summary(0, None, None, None, None)
    return Summary(
        n=len(errors),
        mean_error_frac=math.fsum(errors) / len(errors),
        sd_error_frac=statistics.stdev(errors) if len(errors) > 1 else None,
        mean_abs_error_frac=math.fsum(map(abs, errors)) / len(errors),
        worst_error_frac=max(errors, key=abs),
    )
