"""The fit of the constants on the rows that the division allows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.inference.engine import Engine
from bench.inference.predict import Run, run_seconds
from bench.inference.terms.constants import Constants, constants_of
from bench.inference.terms.family import USUAL, Family

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

SOFT = 0.1  # logarithmic error beyond which a row pulls less than its square
STEP, EDGE = 1e-4, 1e-6  # of the logarithms, for slopes and for a start within the bounds
PULL = 0.05  # weight of ln(constant / start), which holds a constant that the rows do not determine


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constant that is fitted."""

    key: str
    tables: tuple[str, ...]  # engines or families that share it
    start: float  # a usual value
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Book:
    """All engine classes and device families."""

    engines: Mapping[str, Engine]
    families: Mapping[str, Family]

    def of(self, run: Run) -> Constants:
        """Return the constants of a load."""
        engine = replace(self.engines[run.setup.engine.name], all_experts=run.setup.engine.all_experts)
        return constants_of(engine, self.families.get(run.setup.family.name) or self.families[USUAL])

    def value(self, parameter: Parameter) -> float:
        """Return the value of a constant."""
        name = parameter.tables[0]
        return float(getattr(self.engines.get(name) or self.families[name], parameter.key))

    def with_values(self, parameters: Sequence[Parameter], values: Sequence[float]) -> "Book":
        """Return the tables with other values of some constants."""
        engines, families = dict(self.engines), dict(self.families)
        for parameter, value in zip(parameters, values, strict=True):
            for name in parameter.tables:
                if name in engines:
                    engines[name] = replace(engines[name], **{parameter.key: value})  # type: ignore[arg-type]
                else:
                    families[name] = replace(families[name], **{parameter.key: value})  # type: ignore[arg-type]
        return Book(engines, families)


_VLLM = ("vllm-sync", "vllm", "sglang")
_TRTLLM = ("trtllm", "trtllm-2026")
_ALL = (*_VLLM, *_TRTLLM)
_OF_2026 = ("vllm", "sglang", "trtllm-2026")
_OTHERS = ("ampere", "cdna3")
PARAMETERS = (
    Parameter("product_frac", _VLLM, 0.9, 0.4, 1.0),
    Parameter("product_frac", _TRTLLM, 0.9, 0.4, 1.0),
    Parameter("grouped_memory_frac", _ALL, 0.9, 0.5, 1.0),
    Parameter("layer_overhead_s", _ALL, 50e-6, 5e-6, 200e-6),
    Parameter("narrow_layer_s", _ALL, 20e-6, 1e-6, 200e-6),
    Parameter("expert_layer_s", _ALL, 30e-6, 1e-6, 200e-6),
    Parameter("logit_bytes", ("vllm-sync", "vllm"), 100.0, 12.0, 1000.0),
    Parameter("blend", _VLLM, 3.0, 1.05, 10.0),
    Parameter("blend", _TRTLLM, 3.0, 1.05, 10.0),
    Parameter("routed_passes", _ALL, 4.0, 0.2, 5.0),
    Parameter("grouped_depth", _ALL, 300.0, 10.0, 3000.0),
    Parameter("grouped_tile", _ALL, 60.0, 1.0, 1000.0),
    Parameter("popularity", _ALL, 0.5, 0.05, 1.5),
    Parameter("latent_layer_s", _ALL, 20e-6, 1e-6, 200e-6),
    Parameter("recurrent_layer_s", _ALL, 10e-6, 1e-6, 400e-6),
    Parameter("mixed_recurrent_layer_s", _ALL, 100e-6, 1e-6, 2000e-6),
    Parameter("gather_layer_s", _VLLM, 100e-6, 1e-6, 1000e-6),
    Parameter("gather_layer_s", _TRTLLM, 50e-6, 1e-6, 1000e-6),
    Parameter("mixed_layer_s", _VLLM, 40e-6, 1e-6, 200e-6),
    Parameter("mixed_layer_s", _TRTLLM, 10e-6, 1e-6, 400e-6),
    Parameter("host_s_per_step", _VLLM, 1e-3, 1e-4, 5e-3),
    Parameter("host_s_per_sequence", _VLLM, 10e-6, 1e-6, 60e-6),
    Parameter("blackwell_start_ratio", _OF_2026, 1.0, 0.2, 2.0),
    Parameter("memory_frac", ("hopper", *_OTHERS), 0.9, 0.7, 0.95),
    Parameter("memory_frac", ("blackwell",), 0.9, 0.7, 0.95),
    Parameter("cache_frac", ("hopper", *_OTHERS), 0.8, 0.3, 0.95),
    Parameter("cache_frac", ("blackwell",), 0.8, 0.3, 0.95),
    Parameter("grouped_bf16", ("hopper", *_OTHERS), 0.2, 0.02, 1.0),
    Parameter("grouped_bf16", ("blackwell",), 0.2, 0.02, 1.0),
    Parameter("grouped_fp8", ("hopper", "ampere"), 0.5, 0.02, 2.0),
    Parameter("grouped_fp8", ("blackwell",), 0.5, 0.02, 2.0),
    Parameter("grouped_fp8", ("cdna3",), 0.3, 0.02, 2.0),
    Parameter("grouped_fp8_all", ("hopper", *_OTHERS), 0.4, 0.02, 2.0),
    Parameter("grouped_fp8_all", ("blackwell",), 0.4, 0.02, 2.0),
    Parameter("state_frac", ("hopper", "blackwell", *_OTHERS), 0.8, 0.2, 0.95),
    Parameter("product_ratio", ("blackwell",), 1.0, 0.6, 1.1),
    Parameter("grouped_fp4", ("blackwell", "hopper", *_OTHERS), 1.0, 0.02, 4.0),
    Parameter("grouped_mxfp4", ("hopper", *_OTHERS), 0.4, 0.02, 2.0),
    Parameter("grouped_mxfp4", ("blackwell",), 0.4, 0.02, 4.0),
    Parameter("link_latency_s", ("hopper", "blackwell", *_OTHERS), 10e-6, 2e-6, 60e-6),
    Parameter("start_ratio", ("blackwell",), 1.0, 0.3, 3.0),
    Parameter("start_ratio", ("cdna3",), 2.0, 0.3, 6.0),
    Parameter("fp4_frac", ("blackwell", "hopper", *_OTHERS), 0.5, 0.1, 0.9),
)


def fit(book: Book, runs: Sequence[tuple[Run, float, str]], parameters: Sequence[Parameter] = PARAMETERS) -> Book:
    """Return the tables with fitted constants.

    Parameters
    ----------
    book
        The tables.
    runs
        Loads with their published rates [output token/s] and the names of their configurations.
    parameters
        The constants that are fitted.

    Notes
    -----
    The sum of a robust loss of ln(predicted/published) is least. Each configuration of model, device and engine has the
    same weight, however many points its curve has.
    """
    import numpy as np
    from scipy.optimize import least_squares

    names = [name for _, _, name in runs]
    weights = np.asarray([1.0 / math.sqrt(names.count(name)) for name in names])
    usual = np.log([parameter.start for parameter in parameters])
    touched = [_touched(parameter, runs) for parameter in parameters]

    def terms(logs: "Array", which: Sequence[int]) -> list[float]:
        candidate = book.with_values(parameters, [float(value) for value in np.exp(logs)])
        return [ln_error(runs[index][0], runs[index][1], candidate.of(runs[index][0])) for index in which]

    def errors(logs: "Array") -> "Array":
        return np.concatenate([weights * terms(logs, range(len(runs))), PULL * (logs - usual)])

    def slopes(logs: "Array") -> "Array":
        # a constant changes only the loads that use it
        middle = errors(logs)
        matrix = np.vstack([np.zeros((len(runs), len(logs))), PULL * np.eye(len(logs))])
        for place, which in enumerate(touched):
            moved = logs.copy()
            step = -STEP if logs[place] + STEP > bounds[1][place] else STEP
            moved[place] += step
            matrix[which, place] = (weights[which] * terms(moved, which) - middle[which]) / step
        return matrix

    bounds = (np.log([one.least for one in parameters]), np.log([one.most for one in parameters]))
    begin = np.clip(np.log([book.value(one) for one in parameters]), bounds[0] + EDGE, bounds[1] - EDGE)
    solution = least_squares(
        errors, begin, jac=slopes, bounds=bounds, loss="soft_l1", f_scale=SOFT, xtol=1e-5, ftol=1e-5
    )
    return book.with_values(parameters, [float(value) for value in np.exp(solution.x)])


def _touched(parameter: Parameter, runs: Sequence[tuple[Run, float, str]]) -> list[int]:
    return [
        index
        for index, (run, _, _) in enumerate(runs)
        if {run.setup.engine.name, run.setup.family.name} & set(parameter.tables)
    ]


def ln_error(run: Run, published_per_s: float, constants: Constants | None = None) -> float:
    """Return ln(predicted/published) of a load."""
    return math.log(run.trace.output_tokens / run_seconds(run, constants) / published_per_s)


def geomean_error(ln_errors: Sequence[float]) -> float:
    """Return exp(mean |ln error|) - 1."""
    return math.exp(sum(abs(error) for error in ln_errors) / len(ln_errors)) - 1.0
