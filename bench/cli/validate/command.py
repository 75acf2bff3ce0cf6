"""`perwatt validate` and `perwatt validate mining`: tests of the models against published figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import NearGroup, examples
from bench.cli.options import json_option
from bench.cli.output import emit_json, say
from bench.cli.table import numbered, print_table, say_reasons
from bench.cli.validate.inference import inference
from bench.errors import not_written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.backtest.backtest import Outcome, Summary
    from sites.market.bitcoin import DifficultyPath


@click.group(cls=NearGroup, epilog=examples("perwatt validate mining", "perwatt validate inference"))
def validate() -> None:
    """Test the models against published figures."""


validate.add_command(inference)


@validate.command(
    epilog=examples(
        "perwatt validate mining",
        "perwatt validate mining --data reports.csv --plot mining.svg",
        "perwatt validate mining --data reports.csv --difficulty difficulty.csv",
    )
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="CSV file of monthly reports. [default: the bundled production.csv]",
)
@click.option(
    "--difficulty",
    type=click.Path(path_type=Path),
    help="CSV file of `perwatt feed difficulty`, for months after the bundled difficulty.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Plot predicted against reported production to this .svg or .png file.",
)
@json_option
def mining(data: Path | None, difficulty: Path | None, plot: Path | None, as_json: bool) -> None:
    """Predict the monthly production of mining companies from their average hash rate.

    Reports that cannot test the model are not used, and a line below the table says why.
    """
    from sites.backtest.backtest import backtest, summarise
    from sites.backtest.reports import bundled_reports, read_reports

    path = _difficulty_path(difficulty)
    outcomes = backtest(bundled_reports() if data is None else read_reports(data), path)
    recent, whole = summarise(outcomes, recent_only=True), summarise(outcomes)
    if plot is not None:
        from sites.plots.files import backtest_file

        try:
            backtest_file(outcomes, plot)
        except OSError as error:
            raise not_written(plot, error) from error
    if as_json:
        emit_json(_document(outcomes, recent, whole, data) | _difficulty_document(difficulty, path))
    else:
        _print(outcomes, recent, whole)
        if difficulty is not None:
            document = _difficulty_document(difficulty, path)
            say(f"Difficulty: {difficulty} after the bundled epochs, known until {document['difficulty_known_until']}")


def _difficulty_path(file: Path | None) -> DifficultyPath:
    from hardware_profiles.opening import DIFFICULTY_TABLE
    from sites.file.difficulty import read_epochs
    from sites.market.bitcoin import DifficultyPath

    return DifficultyPath(supplied=() if file is None else read_epochs(file, DIFFICULTY_TABLE._replace(by_user=True)))


def _difficulty_document(file: Path | None, path: DifficultyPath) -> dict[str, object]:
    from sites.market.bitcoin import known_until_utc

    return {
        "difficulty": "bundled difficulty_epochs.csv" if file is None else str(file),
        "difficulty_known_until": known_until_utc(path),
    }


def _document(outcomes: Sequence[Outcome], recent: Summary, whole: Summary, data: Path | None) -> dict[str, object]:
    from dataclasses import asdict

    from sites.backtest.backtest import BOUND_FRAC, METHOD

    error = recent.mean_abs_error_frac
    return {
        "schema": "perwatt.validate_mining/1",
        "data": "bundled production.csv" if data is None else str(data),
        "method": METHOD,
        "mean_abs_error_frac": error,
        "mean_error_frac": recent.mean_error_frac,
        "bound_frac": BOUND_FRAC,
        "within_bound": None if error is None else error <= BOUND_FRAC,
        "accepted": whole.n,
        "refused": len(outcomes) - whole.n,
        "accepted_2025_26": asdict(recent),
        "accepted_all_years": asdict(whole),
        "rows": [
            {
                "line": outcome.report.line,
                "company": outcome.report.company,
                "month": outcome.report.month,
                "avg_operating_ehs": outcome.report.avg_operating_ehs,
                "reported_btc": outcome.report.btc_produced,
                "status": "accepted" if outcome.refused is None else "refused",
                "reason": outcome.refused,
                "predicted_btc": outcome.predicted_btc,
                "error_frac": outcome.error_frac,
                "in_2025_26": outcome.report.month[:4] in {"2025", "2026"},
                "epoch_start_times": outcome.start_basis,
                "note": outcome.report.note,
                "source": outcome.report.source,
            }
            for outcome in outcomes
        ],
    }


def _print(outcomes: Sequence[Outcome], recent: Summary, whole: Summary) -> None:
    from sites.backtest.backtest import BOUND_FRAC, METHOD

    marks = numbered(outcome.refused for outcome in outcomes)
    print_table(
        ["line", "company", "month", "avg EH/s", "reported BTC", "predicted BTC", "error", "verdict"],
        [_row(outcome, marks) for outcome in outcomes],
        title=f"Mining model against monthly reports ({METHOD})",
        right=(0, 3, 4, 5, 6),
    )
    say_reasons(marks)
    unused = len(outcomes) - whole.n
    say(f"{whole.n} rows used, {unused} not used. Fees are not predicted; they were large in 2023 and 2024.")
    for name, summary in (("2025-26", recent), ("all years", whole)):
        say(f"{name}: {_in_words(summary)}")
    if recent.mean_abs_error_frac is not None:
        verdict = "within" if recent.mean_abs_error_frac <= BOUND_FRAC else "above"
        say(f"mean_abs_error_frac of 2025-26: {recent.mean_abs_error_frac:.4f}, {verdict} {BOUND_FRAC:.3f}")


def _row(outcome: Outcome, marks: Mapping[str, str]) -> list[str]:
    report = outcome.report
    average = "-" if report.avg_operating_ehs is None else f"{report.avg_operating_ehs:g}"
    predicted = "-" if outcome.predicted_btc is None else f"{outcome.predicted_btc:.2f}"
    error = "-" if outcome.error_frac is None else f"{outcome.error_frac:+.2%}"
    verdict = "used" if outcome.refused is None else f"not used {marks[outcome.refused]}"
    return [
        str(report.line),
        report.company,
        report.month,
        average,
        f"{report.btc_produced:g}",
        predicted,
        error,
        verdict,
    ]


def _in_words(summary: Summary) -> str:
    if summary.n == 0 or summary.mean_error_frac is None or summary.mean_abs_error_frac is None:
        return "no row used"
    spread = "" if summary.sd_error_frac is None else f" ± {summary.sd_error_frac:.2%} (sd)"
    return (
        f"{summary.n} rows, mean error {summary.mean_error_frac:+.2%}{spread}, "
        f"mean absolute error {summary.mean_abs_error_frac:.2%}, worst {summary.worst_error_frac:+.2%}"
    )
