"""The errors of watts and joules per token in `perwatt validate inference`, on rows whose GPU watts were published."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.output import say

if TYPE_CHECKING:
    from bench.inference.power.judged import JudgedClass
    from bench.inference.validation import Validation


def watt_classes(validation: "Validation", data: Path | None) -> "dict[str, JudgedClass]":
    """Return the errors over hold-out rows with watts by family and class; empty without such rows.

    Parameters
    ----------
    validation
        All rows with their modelled rates.
    data
        The file, or None for the bundled ones, on which the watts are fitted too.
    """
    from bench.inference.power.judged import judged, judged_classes
    from bench.inference.validation import FILES, HOLDOUT

    outcomes = [outcome for outcome in validation.outcomes if outcome.predicted_per_s is not None]
    held = {outcome.row for outcome in outcomes if outcome.role == HOLDOUT}
    rates = ((outcome.row, outcome.predicted_per_s) for outcome in outcomes if outcome.predicted_per_s is not None)
    is_bundled = data is None or data.resolve() in {file.resolve() for file in FILES}
    return judged_classes([one for one in judged(rates, bundled=is_bundled) if one.row.row in held])


def print_watts(validation: "Validation", data: Path | None) -> None:
    """Print the errors over hold-out rows with watts."""
    for name, one in watt_classes(validation, data).items():
        refused = "; watts refused" if one.is_refused else ""
        say(
            f"hold-out rows with watts, {name}: {one.watts.rows} rows, error of the rate {one.rate.error_frac:.1%}, "
            f"of a GPU's watts at it {one.watts.error_frac:.1%}, of J/token {one.joules.error_frac:.1%} (worst "
            f"{one.joules.worst_frac:.0%}){refused}"
        )
