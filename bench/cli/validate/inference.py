"""`perwatt validate inference`: a test of the throughput model against published serving rates."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import examples
from bench.cli.options import json_option
from bench.cli.output import emit_json, plain, say
from bench.cli.table import print_table
from bench.cli.validate.watts import print_watts, watt_classes

if TYPE_CHECKING:
    from bench.inference.validation import Outcome, Summary, Validation


@click.command(epilog=examples("perwatt validate inference", "perwatt validate inference --plot inference.svg"))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="CSV file of published rates. [default: all bundled files]",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Plot predicted against published rates to this .svg, .png or .pdf file.",
)
@json_option
def inference(data: Path | None, plot: Path | None, as_json: bool) -> None:
    """Predict published serving rates with a model fitted on a written part of them.

    Rates that the model cannot predict are refused, and a line below the table says why.
    """
    from bench.inference.plots import check_plot_path, plot_validation
    from bench.inference.validation import validate

    if plot is not None:
        check_plot_path(plot)
    validation = validate(data)
    if plot is not None:
        plot_validation(validation.outcomes, plot)
    if as_json:
        emit_json(_document(validation, data))
    else:
        _print(validation)
        print_watts(validation, data)


def _document(validation: "Validation", data: Path | None) -> dict[str, object]:
    from dataclasses import asdict

    from bench.inference.fit import PARAMETERS
    from bench.inference.validation import (
        APART,
        BOUND_FRAC,
        FIT,
        FLAGGED,
        GOAL_FRAC,
        HOLDOUT,
        NETWORK,
        REFUSED,
        SERVER,
        by_group,
        summarise,
    )

    apart = validation.of(APART)
    holdout = summarise(validation.of(HOLDOUT))
    error = None if holdout is None else holdout.geomean_error_frac
    return {
        "schema": "perwatt.validate_inference/1",
        "data": "all bundled files" if data is None else str(data),
        "basis": "modelled",
        "fitted": validation.fitted,
        "constants": [
            {"key": one.key, "tables": list(one.tables), "value": validation.book.value(one)}
            for one in PARAMETERS
        ],
        "geomean_error_frac": error,
        "worst_error_frac": None if holdout is None else holdout.worst_error_frac,
        "bound_frac": BOUND_FRAC,
        "goal_frac": GOAL_FRAC,
        "within_bound": None if error is None else error <= BOUND_FRAC,
        "within_goal": None if error is None else error <= GOAL_FRAC,
        "counts": {role: len(validation.of(role)) for role in (FIT, HOLDOUT, NETWORK, APART, SERVER, FLAGGED, REFUSED)},
        "holdout": None if holdout is None else asdict(holdout),
        "fit": _as_dict(summarise(validation.of(FIT))),
        "within_interval_frac": validation.within_frac,
        "classes": {name: asdict(one) for name, one in validation.classes().items()},
        "flagged": _as_dict(summarise(validation.of(FLAGGED))),
        "apart": _as_dict(summarise(apart)),
        "server": _as_dict(summarise(validation.of(SERVER))),
        "by": _groups(by_group(validation.outcomes)),
        "apart_by": _groups(by_group(validation.outcomes, APART)),
        "watts": {name: asdict(one) for name, one in watt_classes(validation, data).items()},
        "rows": [_row_document(outcome) for outcome in validation.outcomes],
    }  # fmt: skip


def _groups(groups: "Mapping[str, Mapping[str, Summary]]") -> dict[str, dict[str, dict[str, object]]]:
    from dataclasses import asdict

    return {group: {name: asdict(one) for name, one in parts.items()} for group, parts in groups.items()}


def _as_dict(summary: "Summary | None") -> dict[str, object] | None:
    from dataclasses import asdict

    return None if summary is None else asdict(summary)


def _row_document(outcome: "Outcome") -> dict[str, object]:
    row = outcome.row
    return {
        "file": outcome.file,
        "line": row.line,
        "role": outcome.role,
        "reason": outcome.reason,
        "model": row.model,
        "precision": row.precision,
        "gpu": row.gpu,
        "num_gpus": row.gpus,
        "input_len": row.input_len,
        "output_len": row.output_len,
        "lengths_source": row.lengths_source or "the row",
        "load": row.load,
        "engine": row.engine,
        "flag": row.flag,
        "power_w": row.power_w,
        "tags": {
            "boundary": "none: a rate without energy",
            "power_kind": "none: a rate without energy",
            "token_basis": "output",
            "lengths": "unknown" if row.input_len is None else f"{row.input_len}:{row.output_len}",
            "latency_limit": "none (closed loop)"
            if row.clients
            else f"none ({row.load})"
            if not row.separate
            else row.load,
        },
        "published_tokens_per_s": row.published_per_s,
        "predicted_tokens_per_s": outcome.predicted_per_s,
        "error_frac": outcome.error_frac,
        "within_interval": outcome.within,
        "predicted_ttft_s": outcome.ttft_s,
        "predicted_tpot_s": outcome.tpot_s,
        "basis": "modelled",
        "source": row.source,
    }


def _print(validation: "Validation") -> None:
    from bench.inference.validation import BOUND_FRAC, GOAL_FRAC, HOLDOUT, summarise

    print_table(
        ["line", "engine", "model", "dtype", "GPUs", "in:out", "load", "published", "modelled", "error", "role"],
        [_cells(outcome) for outcome in validation.outcomes],
        title="Throughput model against published output tokens/s",
        right=(0, 7, 8, 9),
    )
    say(f"Constants: {validation.fitted}; `--json` lists them.")
    _print_refused(validation)
    _print_groups(validation)
    _print_separate(validation)
    _print_server(validation)
    holdout = summarise(validation.of(HOLDOUT))
    say(f"hold-out rows: {_in_words(holdout)}")
    if holdout is not None:
        error = holdout.geomean_error_frac
        goal = "meets" if error <= GOAL_FRAC else "misses"
        verdict = "within" if error <= BOUND_FRAC else "above"
        say(
            f"geomean_error_frac: {error:.4f}, {verdict} {BOUND_FRAC:.2f}, {goal} the goal {GOAL_FRAC:.2f}; "
            f"worst_error_frac: {holdout.worst_error_frac:.4f}"
        )
    if validation.within_frac is not None:
        say(f"within_interval_frac: {validation.within_frac:.4f} of the hold-out rows, by all other configurations")


def _print_refused(validation: "Validation") -> None:
    from bench.inference.validation import REFUSED

    refused: dict[str, list[str]] = {}
    for outcome in validation.of(REFUSED):
        refused.setdefault(outcome.reason or "unknown", []).append(f"{outcome.file}:{outcome.row.line}")
    for reason, lines in refused.items():
        say(f"not predicted, line {', '.join(lines)}: {reason}")


def _print_groups(validation: "Validation") -> None:
    from bench.inference.validation import FIT, FLAGGED, by_group, summarise

    for group, parts in by_group(validation.outcomes).items():
        for name, summary in parts.items():
            say(f"by {group}: {name}: {_in_words(summary)}")
    for name, one in validation.classes().items():
        say(
            f"class {name}: {one.rows} rows of {one.configurations} configurations, error {one.error_frac:.1%}, worst "
            f"{one.worst_frac:.1%}{'; refused by sites' if one.is_doubtful else ''}"
        )
    flags = summarise(validation.of(FLAGGED))
    if flags is not None:
        say(f"flagged rows, not judged: {_in_words(flags)}")
    say(f"fit rows: {_in_words(summarise(validation.of(FIT)))}")


def _print_separate(validation: "Validation") -> None:
    from bench.inference.validation import APART, by_group, summarise

    separate = summarise(validation.of(APART))
    if separate is not None:
        say(f"separate, not in the mean: MLPerf Offline at the mean lengths of its task: {_in_words(separate)}")
        for group, parts in by_group(validation.outcomes, APART).items():
            for name, summary in parts.items():
                say(f"separate, by {group}: {name}: {_in_words(summary)}")
        for source in sorted({one.row.lengths_source for one in validation.of(APART) if one.row.lengths_source}):
            say(f"lengths of the separate rows: {source}")


def _print_server(validation: "Validation") -> None:
    """Print the errors of rows with random arrivals, alone and over those of the Offline rows of their submissions."""
    from bench.inference.validation import SERVER, offline_partner, summarise

    outcomes = validation.of(SERVER)
    if not outcomes:
        return
    say(f"separate, largest rate of random arrivals within MLPerf's latency limits: {_in_words(summarise(outcomes))}")
    for outcome in outcomes:
        partner = offline_partner(outcome, validation.outcomes)
        if partner is not None and outcome.ln_error is not None and partner.ln_error is not None:
            error = math.expm1(outcome.ln_error - partner.ln_error)
            say(f"line {outcome.row.line}: {error:+.1%} over the error of Offline, line {partner.row.line}")


def _cells(outcome: "Outcome") -> Sequence[str]:
    from bench.inference.validation import APART, SERVER

    row = outcome.row
    lengths = "-" if row.input_len is None or row.output_len is None else f"{row.input_len}:{row.output_len}"
    load = f"{row.clients} users" if row.clients else row.load if row.separate else "offline"
    return (
        f"{outcome.file.removesuffix('.csv')}:{row.line}" if outcome.file else str(row.line),
        row.engine,
        row.model_name or row.model,
        row.dtype or row.precision,
        f"{row.gpus} {(row.device_slug or row.gpu).removeprefix('nvidia-')}",
        lengths,
        load,
        plain(row.published_per_s),
        plain(outcome.predicted_per_s),
        "-" if outcome.error_frac is None else f"{outcome.error_frac:+.1%}",
        "separate" if outcome.role in (APART, SERVER) else outcome.role,
    )


def _in_words(summary: "Summary | None") -> str:
    if summary is None:
        return "none"
    return (
        f"{summary.rows} rows, error {summary.geomean_error_frac:.1%} (geometric mean), worst "
        f"{summary.worst_error_frac:.1%}, bias {summary.bias_frac:+.1%}"
    )
