"""A serving engine: three fitted constants, and the rules of its batch sizes."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.batching import Limits
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import read_toml

DATA = Path(__file__).parent / "data"
DEFAULT = "trtllm"
DOUBTFUL_FRAC = 0.25  # [-] mean hold-out error of a class above which its rates are marked, and refused by sites


@dataclass(frozen=True, slots=True)
class Holdout:
    """The errors of the engine's constants on published rows that they were not fitted on."""

    error_frac: float  # [-] geometric mean
    worst_frac: float  # [-]
    rms_ln: float  # root mean square of the logarithmic errors
    rows: int  # number of rows

    @property
    def is_doubtful(self) -> bool:
        """Whether the error of this class is too large to plan with its rates."""
        return self.error_frac > DOUBTFUL_FRAC


@dataclass(frozen=True, slots=True)
class Engine:
    """A class of serving engines."""

    name: str
    title: str
    fitted_on: str
    product_frac: float  # [-] rate of matrix products over the sustained rate, fitted
    memory_frac: float  # [-] bandwidth over its peak, fitted, at most 0.95
    layer_overhead_s: float  # [s] time lost at the starts and ends of a layer's kernels, fitted
    fit_error_frac: float  # [-] mean error on the fitted rows
    holdouts: dict[str, Holdout]  # by class
    sustained_frac: dict[str, float]  # [-] rate of a large product over the dense peak, by dtype
    kv_memory_frac: float  # [-] share of the free memory for keys and values
    reserve_bytes: float  # [byte] per GPU, kept for the engine itself
    most_batch: int  # sequences at full load
    most_tokens: int  # tokens of a step at full load
    least_tokens: int
    online_batch: int  # sequences of a server at its defaults
    online_tokens: int
    link_frac: float  # [-] bandwidth of an all-reduce over the link's
    link_latency_s: float  # [s]
    host_s_per_sequence: float  # [s] host time for each sequence that gets a token in a step, parallel to the device
    graph_sizes: tuple[int, ...]  # decoding batches that a step is padded to

    def holdout(self, kind: str, *, moe: bool) -> Holdout:
        """Return the hold-out error for a precision of dense models, or for mixtures of experts.

        A precision without rows has the error of dense models over all precisions.
        """
        return self.holdouts["moe"] if moe else self.holdouts.get(f"dense-{kind}", self.holdouts["dense"])

    def offline_limits(self, kv_requests: float, input_len: int, output_len: int) -> Limits:
        """Return the batch limit and token budget of a run at full load, as trtllm-bench sets them.

        Parameters
        ----------
        kv_requests
            Number of requests whose whole sequence fits in the memory for keys and values.
        input_len, output_len
            Tokens of the prompt and of the answer.

        References
        ----------
        TensorRT-LLM, tensorrt_llm/bench/build/tuning.py, finetune_setting.
        """
        batch = min(kv_requests, self.most_batch)
        tokens = min(batch * (1 + input_len / output_len), self.most_tokens)
        step = 32 if batch < 256 else 128 if batch < 1024 else 256
        most_batch = max(64, _up(batch, step)) if batch < 256 else _up(batch, step)
        token_step = 256 if tokens < 4096 else 512 if tokens < 8192 else 1024
        most_tokens = max(self.least_tokens, _up(tokens, token_step)) if tokens < 4096 else _up(tokens, token_step)
        return Limits(most_batch, most_tokens)

    def online_limits(self) -> Limits:
        """Return the batch limit and token budget of a server at its defaults."""
        return Limits(self.online_batch, self.online_tokens)

    def padded(self, decoding: NDArray[np.float64], most_batch: int) -> NDArray[np.float64]:
        """Return the batch that a step without prompts is computed for, after padding."""
        sizes = np.asarray([*(size for size in self.graph_sizes if size < most_batch), most_batch], dtype=float)
        index = np.searchsorted(sizes, decoding)
        return np.where(index < len(sizes), sizes[np.minimum(index, len(sizes) - 1)], decoding)


@cache
def engine(name: str = DEFAULT) -> Engine:
    """Return an engine class by name.

    Raises
    ------
    InputError
        The name is unknown.
    """
    known = read_toml(DATA / "engines.toml")
    if name not in known:
        expected = f"one of {', '.join(known)}"
        raise InputError.at("engine", expected=expected, got=name, near=near_names(name, known))
    table = known[name]
    limits, link = _values(table["limits"]), _values(table["interconnect"])
    return Engine(
        name=name,
        title=table["title"],
        fitted_on=table["fitted_on"],
        product_frac=table["product_frac"],
        memory_frac=table["memory_frac"],
        layer_overhead_s=table["layer_overhead_s"],
        fit_error_frac=table["fit_error_frac"],
        holdouts={key: Holdout(**entry) for key, entry in table["holdout"].items()},
        sustained_frac=_values(table["sustained_frac"]),
        kv_memory_frac=limits["kv_memory_frac"],
        reserve_bytes=limits["reserve_bytes"],
        most_batch=int(limits["most_batch"]),
        most_tokens=int(limits["most_tokens"]),
        least_tokens=int(limits["least_tokens"]),
        online_batch=int(limits["online_batch"]),
        online_tokens=int(limits["online_tokens"]),
        link_frac=link["link_frac"],
        link_latency_s=link["latency_s"],
        host_s_per_sequence=float(table["host"]["sequence_s"]["value"]),
        graph_sizes=tuple(table["graphs"]["sizes"]),
    )


def _values(table: dict[str, Any]) -> dict[str, float]:
    return {key: float(entry["value"]) for key, entry in table.items()}


def _up(value: float, step: int) -> int:
    return step * math.ceil(value / step)
