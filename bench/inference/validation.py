"""Validation of the throughput model against published rates: each row with its role and its error, or a refusal."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bench.inference.accelerator import accelerator
from bench.inference.engine import Engine, engine
from bench.inference.fit import LEAST_ROWS, fit, geomean_error
from bench.inference.predict import Run, plan_run, predict
from bench.inference.published import BUNDLED, SECOND, SINGLE_STREAM, Row, read_rows
from bench.inference.serving import Setup
from bench.inference.simulation.mlperf_server import Scenario, largest_run, scenario_of
from hardware_profiles.errors import InputError
from kernels.llm.counts import precision, weight_bytes
from kernels.llm.shapes import load

BOUND_FRAC = 0.25
GOAL_FRAC = 0.10
FIT, HOLDOUT, APART, SERVER, REFUSED = "fit", "hold-out", "apart", "server", "refused"
GROUPS: dict[str, Callable[[Row], str]] = {
    "model": lambda row: row.model,
    "gpu": lambda row: row.device_slug or row.gpu,
    "precision": lambda row: row.dtype or row.precision,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one row."""

    row: Row
    role: str  # FIT, HOLDOUT, APART, SERVER or REFUSED
    reason: str | None  # of a refused row
    predicted_per_s: float | None  # [output token/s]
    ttft_s: float | None
    tpot_s: float | None

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
    engine: Engine
    fitted: str  # how its constants were fitted, in words

    def of(self, role: str) -> list[Outcome]:
        """Return the rows of a role."""
        return [outcome for outcome in self.outcomes if outcome.role == role]


def validate(path: Path = BUNDLED, constants: Engine | None = None) -> Validation:
    """Fit the engine on the file's rows of Llama 3.1 8B on one H100 and predict every row.

    Parameters
    ----------
    path
        The file of published rates.
    constants
        Constants to use instead of a fit. With fewer than LEAST_ROWS rows to fit on, the bundled constants are used.

    Raises
    ------
    InputError
        The file cannot be read, or one of its columns or numbers is wrong.
    """
    start = engine()
    rows = read_rows(path)
    runs = {row.line: _planned(row, start) for row in rows}
    to_fit = _with_rates([row for row in rows if row.is_fit], runs)
    if constants is not None:
        chosen, how = constants, "constants stated by the caller"
    elif len(to_fit) < LEAST_ROWS:
        chosen, how = start, f"bundled constants: the file has {len(to_fit)} rows of Llama 3.1 8B on one H100"
    else:
        single = _single_stream()
        extra = _with_rates(single, {row.line: _planned(row, start) for row in single})
        chosen = fit(start, [*to_fit, *extra])
        how = f"fitted on {len(to_fit)} rows of Llama 3.1 8B on one H100 and {len(extra)} with a single user"
    outcomes = tuple(_outcome(row, runs[row.line], chosen) for row in rows)
    return Validation(outcomes, chosen, how)


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


def _planned(row: Row, constants: Engine) -> Run | str:
    """Return the load of a row, or why it has none."""
    if row.refused is not None:
        return row.refused
    if not (row.model_name and row.dtype and row.device_slug and row.input_len and row.output_len):
        return "a figure of the row is unknown"
    try:
        engine(row.engine)
        setup = Setup(load(row.model_name), precision(row.dtype), accelerator(row.device_slug), _shards(row), constants)
        return plan_run(setup, row.input_len, row.output_len, clients=row.clients, requests=row.requests)
    except InputError as error:
        return str(error)


def _shards(row: Row) -> int:
    """Return the number of GPUs of one copy of the model: all, or in MLPerf as few as hold its weights twice.

    That is one GPU for every bundled row, which agrees with the submissions' configurations as far as they are
    published.
    """
    if not row.separate:
        return row.gpus
    weights = weight_bytes(load(row.model_name or ""), precision(row.dtype or ""))
    memory = accelerator(row.device_slug or "").memory_bytes
    return next((count for count in (1, 2, 4, 8) if row.gpus % count == 0 and count * memory > 2 * weights), row.gpus)


def _outcome(row: Row, run: Run | str, constants: Engine) -> Outcome:
    if isinstance(run, str):
        return Outcome(row, REFUSED, run, None, None, None)
    scenario = scenario_of(row, row.gpus // run.setup.gpus)
    if scenario is not None:
        return _server_outcome(row, run.setup, scenario, constants)
    prediction = predict(run, engine=constants)
    role = FIT if row.is_fit else APART if row.separate else HOLDOUT
    copies = row.gpus / run.setup.gpus
    return Outcome(row, role, None, prediction.tokens_per_s * copies, prediction.ttft_s, prediction.tpot_s)


def _server_outcome(row: Row, setup: Setup, scenario: Scenario, constants: Engine) -> Outcome:
    """Return the largest rate of random requests within the latency limits of a row's scenario."""
    run = largest_run(setup, scenario, constants)
    if run is None:
        return Outcome(row, REFUSED, f"a lone request is slower than {scenario.target.words}", None, None, None)
    ttft_s, tpot_s = float(np.mean(run.served.ttft_s)), float(np.nanmean(run.served.tpot_s))
    return Outcome(row, SERVER, None, run.tokens_per_s * scenario.copies, ttft_s, tpot_s)


def offline_partner(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the Offline row of the same submission as a row with random arrivals, or None."""

    def key(row: Row) -> tuple[object, ...]:
        submission = re.search(r"\b\d\.\d-\d{4}\b", row.source)
        return (row.model_name, row.dtype, row.device_slug, row.gpus, submission and submission[0])

    return next((one for one in outcomes if one.role == APART and key(one.row) == key(outcome.row)), None)


def _with_rates(rows: Sequence[Row], runs: Mapping[int, Run | str]) -> list[tuple[Run, float]]:
    pairs = [(runs[row.line], row.published_per_s) for row in rows]
    return [(run, rate) for run, rate in pairs if isinstance(run, Run) and rate is not None]


@cache
def _single_stream() -> tuple[Row, ...]:
    return tuple(read_rows(SINGLE_STREAM))


def holdout_classes(files: Sequence[Path] = (BUNDLED, SECOND)) -> dict[str, Summary]:
    """Return the errors of the hold-out rows of some files by class: dense, dense by precision, mixture of experts.

    The constants are those of the first file's fit. These are the numbers of the tables `holdout` in data/engines.toml:
    call this function again after a change of the model or of the rows, and a test compares both.
    """
    first = validate(files[0])
    outcomes = list(first.outcomes)
    for path in files[1:]:
        outcomes += validate(path, first.engine).outcomes
    classes: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.role != HOLDOUT or outcome.row.model_name is None:
            continue
        moe = load(outcome.row.model_name).is_moe
        for name in ("moe",) if moe else ("dense", f"dense-{outcome.row.dtype}"):
            classes.setdefault(name, []).append(outcome)
    return {name: summary for name in sorted(classes) if (summary := summarise(classes[name])) is not None}
