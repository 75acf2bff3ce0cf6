"""The fit of an engine's three constants, on rates of Llama 3.1 8B on one H100 only."""

import math
from collections.abc import Sequence
from dataclasses import replace

from bench.inference.engine import Engine
from bench.inference.predict import Run, run_seconds

START = (0.85, 0.85, 40e-6)
LEAST, MOST = (0.3, 0.5, 1e-6), (1.0, 0.95, 500e-6)
CONSTANTS = ("product_frac", "memory_frac", "layer_overhead_s")
LEAST_ROWS = 5


def fit(engine: Engine, runs: Sequence[tuple[Run, float]]) -> Engine:
    """Return the engine with fitted constants, by least squares of ln(predicted/published).

    Parameters
    ----------
    engine
        The engine whose constants are fitted.
    runs
        Loads with their published rates [output token/s].

    Notes
    -----
    `memory_frac` is at most 0.95, the highest share of its peak bandwidth that a memory is known to reach.
    """
    import numpy as np
    from scipy.optimize import least_squares

    def errors(logs: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[float]:
        candidate = _with(engine, [float(value) for value in np.exp(logs)])
        return [ln_error(run, published, candidate) for run, published in runs]

    solution = least_squares(errors, np.log(START), bounds=(np.log(LEAST), np.log(MOST)), xtol=1e-10, ftol=1e-10)
    fitted = _with(engine, [float(value) for value in np.exp(solution.x)])
    return replace(fitted, fit_error_frac=geomean_error([ln_error(run, rate, fitted) for run, rate in runs]))


def ln_error(run: Run, published_per_s: float, engine: Engine | None = None) -> float:
    """Return ln(predicted/published) of a load."""
    return math.log(run.trace.output_tokens / run_seconds(run, engine) / published_per_s)


def geomean_error(ln_errors: Sequence[float]) -> float:
    """Return exp(mean |ln error|) - 1."""
    return math.exp(sum(abs(error) for error in ln_errors) / len(ln_errors)) - 1.0


def _with(engine: Engine, values: Sequence[float]) -> Engine:
    return replace(engine, **dict(zip(CONSTANTS, values, strict=True)))  # type: ignore[arg-type]
