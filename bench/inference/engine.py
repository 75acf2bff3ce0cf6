"""A serving engine: three fitted constants, and the rules by which it sizes a batch."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.trace import Limits
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.reading import read_toml

DATA = Path(__file__).parent / "data"
DEFAULT = "trtllm-pytorch"
DOUBTFUL_FRAC = 0.25
"""Mean hold-out error of a class above which its rates are marked, and refused where plans are made."""


@dataclass(frozen=True, slots=True)
class Holdout:
    """How the engine's constants did on published rows that they were not fitted on."""

    error_frac: float
    worst_frac: float
    rms_ln: float
    rows: int

    @property
    def is_doubtful(self) -> bool:
        """Whether plans must not be made with a rate of this class."""
        return self.error_frac > DOUBTFUL_FRAC


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine class.

    product_frac: matrix products' share of the sustained rate (fitted). memory_frac: share of the peak bandwidth
    (fitted, at most 0.95). layer_overhead_s: what a layer's kernels lose at their starts and ends (fitted) [s].
    sustained_frac: share of the dense peak that a large product reaches, by dtype.
    graph_sizes: decode batches that a step is padded to. host_s_per_sequence: what the host spends on each sequence
    that gets a token in a step, beside the device's work [s].
    """

    name: str
    title: str
    fitted_on: str
    product_frac: float
    memory_frac: float
    layer_overhead_s: float
    fit_error_frac: float
    holdouts: dict[str, Holdout]
    sustained_frac: dict[str, float]
    kv_memory_frac: float
    reserve_bytes: float
    most_batch: int
    most_tokens: int
    least_tokens: int
    online_batch: int
    online_tokens: int
    link_frac: float
    link_latency_s: float
    host_s_per_sequence: float
    graph_sizes: tuple[int, ...]

    def holdout(self, kind: str, *, moe: bool) -> Holdout:
        """Return the hold-out error of the class that a model and a precision belong to.

        A precision without rows of its own takes the dense models' error over all precisions.
        """
        return self.holdouts["moe"] if moe else self.holdouts.get(f"dense-{kind}", self.holdouts["dense"])

    def offline_limits(self, kv_requests: float, input_len: int, output_len: int) -> Limits:
        """Return batch and token budget of a run at full load, as trtllm-bench sets them.

        kv_requests: requests whose whole sequence fits in the memory for keys and values.

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
        """Return batch and token budget of a server at its defaults."""
        return Limits(self.online_batch, self.online_tokens)

    def padded(self, decoding: NDArray[np.float64], most_batch: int) -> NDArray[np.float64]:
        """Return the batch that each step of decoding sequences alone is computed for."""
        sizes = np.asarray([*(size for size in self.graph_sizes if size < most_batch), most_batch], dtype=float)
        place = np.searchsorted(sizes, decoding)
        return np.where(place < len(sizes), sizes[np.minimum(place, len(sizes) - 1)], decoding)


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
