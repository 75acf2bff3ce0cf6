"""Validation of the throughput model against published rates: each row with its role and its error, or a refusal."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.inference.columns.division import divided, may_fit
from bench.inference.fit import Book, fit, geomean_error
from bench.inference.judged.book import stored
from bench.inference.judged.classes import covered_frac, holdout_classes
from bench.inference.judged.holdout import ClassHoldout
from bench.inference.judged.loads import configuration, planned
from bench.inference.predict import Run, predict
from bench.inference.published import (
    BUNDLED,
    MEASURED,
    MORE,
    ONCE_BLIND,
    SECOND,
    SECOND_BLIND,
    SINGLE_STREAM,
    Row,
    read_rows,
)
from bench.inference.simulation.mlperf_server import Scenario, largest_run, scenario_of
from bench.inference.terms.constants import Constants

BOUND_FRAC = 0.25
GOAL_FRAC = 0.10
FILES = (BUNDLED, SECOND, MEASURED, MORE, ONCE_BLIND, SECOND_BLIND)
FIT, HOLDOUT, APART, SERVER, FLAGGED, REFUSED = "fit", "hold-out", "apart", "server", "flagged", "refused"
NETWORK = "two servers"  # judged by themselves, because nothing of their network is fitted
GROUPS: dict[str, Callable[[Row], str]] = {
    "model": lambda row: row.model,
    "gpu": lambda row: row.device_slug or row.gpu,
    "precision": lambda row: row.dtype or row.precision,
    "engine": lambda row: row.engine,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one row."""

    row: Row
    file: str  # name of its file
    role: str  # FIT, HOLDOUT, NETWORK, APART, SERVER, FLAGGED or REFUSED
    reason: str | None  # of a refused row
    predicted_per_s: float | None  # [output token/s]
    ttft_s: float | None
    tpot_s: float | None
    configuration: str = ""  # model, precision, GPUs and engine
    within: bool | None = None  # whether the published rate lies in the predicted interval

    @property
    def ln_error(self) -> float | None:
        """The value ln(predicted/published), or None for a refused row."""
        if self.predicted_per_s is None or self.row.published_per_s is None:
            return None
        return math.log(self.predicted_per_s / self.row.published_per_s)

    @property
    def error_frac(self) -> float | None:
        """The signed error predicted/published - 1 [-], or None for a refused row."""
        return None if self.ln_error is None else math.exp(self.ln_error) - 1.0


@dataclass(frozen=True, slots=True)
class Summary:
    """The errors over some rows, from ln = ln(predicted/published)."""

    rows: int  # number of rows
    geomean_error_frac: float  # exp(mean |ln|) - 1
    worst_error_frac: float  # exp(max |ln|) - 1
    bias_frac: float  # exp(mean ln) - 1
    rms_ln: float  # root mean square of ln


@dataclass(frozen=True, slots=True)
class Validation:
    """All rows of a file with the constants that predicted them."""

    outcomes: tuple[Outcome, ...]
    book: Book
    fitted: str  # how its constants were fitted, in words

    @property
    def within_frac(self) -> float | None:
        """Share of the held-out rows in the interval that the other configurations of their classes give."""
        return covered_frac(self.of(HOLDOUT))

    def classes(self) -> dict[str, ClassHoldout]:
        """Return the errors of the held-out rows by class, with those over two servers."""
        return holdout_classes([*self.of(HOLDOUT), *self.of(NETWORK)])

    def of(self, role: str) -> list[Outcome]:
        """Return the rows of a role."""
        return [outcome for outcome in self.outcomes if outcome.role == role]


def validate(path: Path | None = None, book: Book | None = None) -> Validation:
    """Predict every row of a file, or of all bundled files after the constants are fitted on the rows that may be.

    Parameters
    ----------
    path
        The file of published rates, or None for all bundled ones.
    book
        Constants to use instead of a fit; with a file those that are stored are used.

    Raises
    ------
    InputError
        The file cannot be read, or one of its columns or numbers is wrong.
    """
    files = FILES if path is None else (path,)
    read = [(file.name, row) for file in files for row in read_rows(file)]
    rows = list(zip((name for name, _ in read), divided([row for _, row in read]), strict=True))
    loads = [planned(row) for _, row in rows]
    if book is not None:
        chosen, how = book, "constants stated by the caller"
    elif path is not None:
        chosen, how = stored(), "stored constants"
    else:
        runs = fit_runs([row for _, row in rows])
        chosen, how = fit(stored(), runs), f"fitted on {len(runs)} rows of {len({name for *_, name in runs})} curves"
    outcomes = tuple(_outcome(file, row, load, chosen) for (file, row), load in zip(rows, loads, strict=True))
    return Validation(outcomes, chosen, how)


def fit_runs(rows: Sequence[Row], chosen_by: Callable[[Row], bool] = may_fit) -> list[tuple[Run, float, str]]:
    """Return the loads, rates and configurations of the rows that may be fitted on, and of the single-user row."""
    chosen = [row for row in (*rows, *read_rows(SINGLE_STREAM)) if chosen_by(row)]
    pairs = [(planned(row), row) for row in chosen]
    return [
        (run, row.published_per_s, configuration(row))
        for run, row in pairs
        if isinstance(run, Run) and row.published_per_s is not None
    ]


def summarise(outcomes: Sequence[Outcome]) -> Summary | None:
    """Return the errors over the rows that have one, or None if no row has."""
    logs = [outcome.ln_error for outcome in outcomes if outcome.ln_error is not None]
    if not logs:
        return None
    return Summary(
        rows=len(logs),
        geomean_error_frac=geomean_error(logs),
        worst_error_frac=math.exp(max(abs(log) for log in logs)) - 1.0,
        bias_frac=math.exp(sum(logs) / len(logs)) - 1.0,
        rms_ln=math.sqrt(sum(log * log for log in logs) / len(logs)),
    )


def by_group(outcomes: Sequence[Outcome], role: str = HOLDOUT) -> dict[str, dict[str, Summary]]:
    """Return the errors of a role's rows by model, by GPU and by precision."""
    counted = [outcome for outcome in outcomes if outcome.role == role]
    groups: dict[str, dict[str, Summary]] = {}
    for group, name_of in GROUPS.items():
        names = sorted({name_of(outcome.row) for outcome in counted})
        for name in names:
            summary = summarise([outcome for outcome in counted if name_of(outcome.row) == name])
            if summary is not None:
                groups.setdefault(group, {})[name] = summary
    return groups


def offline_partner(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the Offline row of the same submission as a row with random arrivals, or None."""

    def key(row: Row) -> tuple[object, ...]:
        submission = re.search(r"\b\d\.\d-\d{4}\b", row.source)
        return (row.model_name, row.dtype, row.device_slug, row.gpus, submission and submission[0])

    return next((one for one in outcomes if one.role == APART and key(one.row) == key(outcome.row)), None)


def _outcome(file: str, row: Row, run: Run | str, book: Book) -> Outcome:
    if isinstance(run, str):
        return Outcome(row, file, REFUSED, run, None, None, None)
    constants = book.of(run)
    scenario = scenario_of(row, row.gpus // run.setup.gpus)
    if scenario is not None:
        return _server_outcome(file, row, run, scenario, constants)
    prediction = predict(run, constants=constants)
    judged = HOLDOUT if run.setup.servers == 1 else NETWORK
    role = FIT if may_fit(row) else APART if row.separate else judged if row.flag is None else FLAGGED
    rate = prediction.tokens_per_s * (row.gpus / run.setup.gpus)
    low, high = prediction.holdout.interval(rate)
    return Outcome(
        row, file, role, None, rate, _known(prediction.ttft_s), prediction.tpot_s, configuration(row),
        None if row.published_per_s is None else low <= row.published_per_s <= high,
    )  # fmt: skip


def _server_outcome(file: str, row: Row, run: Run, scenario: Scenario, constants: Constants) -> Outcome:
    """Return the largest rate of random requests within the latency limits of a row's scenario."""
    found = largest_run(run.setup, scenario, constants)
    if found is None:
        return Outcome(row, file, REFUSED, f"a lone request is slower than {scenario.target.words}", None, None, None)
    ttft_s, tpot_s = float(np.mean(found.served.ttft_s)), float(np.nanmean(found.served.tpot_s))
    rate = found.tokens_per_s * scenario.copies
    return Outcome(row, file, SERVER, None, rate, ttft_s, tpot_s, configuration(row))


def _known(seconds: float) -> float | None:
    return None if math.isnan(seconds) else seconds
