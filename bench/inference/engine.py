"""A class of serving engines: its constants, and the rules of its batch sizes."""

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
    """The errors of a model on published rows that its constants were not fitted on."""

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
    product_frac: float  # [-] rate of matrix products over the sustained rate
    blend: float  # exponent with which arithmetic and memory of a dense product add, from 1 (sum) up (longer of both)
    grouped_memory_frac: float  # [-] bandwidth for experts over that for dense weights
    grouped_depth: float  # inner width of a tile of experts' products that takes as long as its start and end
    grouped_tile: float  # rows of a tile of experts' products whose operands take as long to load as to multiply
    routed_passes: float  # times that a row of an expert passes through memory in addition, until it is summed
    popularity: float  # [-] coefficient of variation of the popularity of experts
    layer_overhead_s: float  # [s] time lost at the starts and ends of a layer's kernels, on Hopper
    expert_layer_s: float  # [s] in addition in a layer of experts
    latent_layer_s: float  # [s] in addition in a layer of latent attention
    narrow_layer_s: float  # [s] in addition for two blocks whose activations are quantised
    recurrent_layer_s: float  # [s] in addition for one recurrent layer
    mixed_recurrent_layer_s: float  # [s] in addition for one recurrent layer of a step that reads prompts
    gather_layer_s: float  # [s] in addition in a layer of experts that copies of attention share
    mixed_layer_s: float  # [s] in addition in a step that reads prompts, which no whole graph starts
    blackwell_start_ratio: float  # [-] fixed times of kernels on Blackwell over those of the device family
    logit_bytes: float  # [byte] that a number of the logits moves through the memory of one GPU until a token is drawn
    host_s_per_step: float  # [s] host time of a step
    host_s_per_sequence: float  # [s] host time for each sequence that gets a token in a step
    host_overlaps: bool  # whether the host works while the device computes, or between the steps
    all_experts: bool  # whether products of experts in fp8 run over all experts that a GPU holds and all rows
    chunks_in_pieces: bool  # whether no graph of the whole step starts steps of models with attention in chunks
    pads_copies: bool  # whether all copies of attention compute as many tokens as the one that reads most of them
    cache_bytes: float | None  # [byte] of a cached key or value, or None for that of the precision
    kv_memory_frac: float  # [-] share of the free memory for keys and values
    reserve_bytes: float  # [byte] per GPU, kept for the engine itself
    reserve_frac: float  # [-] of a GPU's memory that the engine does not use, in addition
    sized: bool  # whether a run at full load is sized for its lengths, as trtllm-bench does
    most_batch: int  # sequences at full load
    most_tokens: int  # tokens of a step at full load
    least_tokens: int
    online_batch: int  # sequences of a server at its defaults
    online_tokens: int
    graph_sizes: tuple[int, ...]  # decoding batches that a step is padded to
    graph_of_most: bool  # whether the batch limit is such a size too

    def offline_limits(self, kv_requests: float, input_len: int, output_len: int) -> Limits:
        """Return the batch limit and token budget of one copy of attention in a run at full load.

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
        if not self.sized:
            return Limits(self.most_batch, self.most_tokens)
        batch = min(kv_requests, self.most_batch)
        tokens = min(batch * (1 + input_len / output_len), self.most_tokens)
        step = 32 if batch < 256 else 128 if batch < 1024 else 256
        most_batch = max(64, _up(batch, step)) if batch < 256 else _up(batch, step)
        token_step = 256 if tokens < 4096 else 512 if tokens < 8192 else 1024
        most_tokens = max(self.least_tokens, _up(tokens, token_step)) if tokens < 4096 else _up(tokens, token_step)
        return Limits(most_batch, most_tokens)

    def reserved_bytes(self, memory_bytes: float) -> float:
        """Return the memory of a GPU that neither weights nor keys and values may use [byte]."""
        return self.reserve_bytes + self.reserve_frac * memory_bytes

    def online_limits(self) -> Limits:
        """Return the batch limit and token budget of one copy of attention in a server at its defaults."""
        return Limits(self.online_batch, self.online_tokens)

    def padded(self, decoding: NDArray[np.float64], most_batch: int) -> NDArray[np.float64]:
        """Return the batch that a step without prompts is computed for, after padding."""
        last = [most_batch] if self.graph_of_most else []
        sizes = np.asarray([*(size for size in self.graph_sizes if size < most_batch), *last], dtype=float)
        index = np.searchsorted(sizes, decoding)
        return np.where(index < len(sizes), sizes[np.minimum(index, len(sizes) - 1)], decoding)


def engine_names() -> list[str]:
    """Return the names of all engine classes."""
    return list(read_toml(DATA / "engines.toml"))


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
    limits, graphs, values = _values(table["limits"]), table["graphs"], _values(table["constants"])
    return Engine(
        name=name,
        title=table["title"],
        fitted_on=table["fitted_on"],
        **values,
        host_overlaps=bool(table["host_overlaps"]["value"]),
        all_experts=bool(table["all_experts"]["value"]),
        chunks_in_pieces=bool(table["chunks_in_pieces"]["value"]),
        pads_copies=bool(table["pads_copies"]["value"]),
        cache_bytes=limits.get("cache_bytes"),
        kv_memory_frac=limits["kv_memory_frac"],
        reserve_bytes=limits["reserve_bytes"],
        reserve_frac=limits["reserve_frac"],
        sized=bool(table["sized"]["value"]),
        most_batch=int(limits["most_batch"]),
        most_tokens=int(limits["most_tokens"]),
        least_tokens=int(limits["least_tokens"]),
        online_batch=int(limits["online_batch"]),
        online_tokens=int(limits["online_tokens"]),
        graph_sizes=tuple(graphs["sizes"]),
        graph_of_most=bool(graphs["largest_is_limit"]),
    )


def _values(table: dict[str, Any]) -> dict[str, float]:
    return {key: float(entry["value"]) for key, entry in table.items()}


def _up(value: float, step: int) -> int:
    return step * math.ceil(value / step)
