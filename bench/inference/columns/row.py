"""One published rate, whatever columns its file has."""

from dataclasses import dataclass
from typing import Literal

Spread = Literal["equal", "uniform", "exponential"]  # of the lengths around their means


@dataclass(frozen=True, slots=True)
class Row:
    """One published rate."""

    line: int  # number of the line in the file
    model: str  # this and the next two as published
    precision: str
    gpu: str
    gpus: int  # number of GPUs
    input_len: int | None  # [token] of each prompt, or their mean
    output_len: int | None  # [token] that each request generates, or their mean
    lengths_source: str  # source of a task's mean lengths; empty if the row states them
    clients: int | None  # clients that each kept one request open, or None if all requests were queued
    requests: int | None  # number of requests for each copy of the model, if published
    load: str
    published_per_s: float | None  # [output token/s] of all GPUs
    source: str
    note: str
    model_name: str | None  # in kernels/llm
    dtype: str | None
    device_slug: str | None  # in the catalogue
    separate: bool  # a task whose lengths vary: reported separately, not in the mean error
    refused: str | None  # why it cannot be predicted
    engine: str = "trtllm"  # class in data/engines.toml
    tensor: int | None = None  # GPUs that share each layer; None: all
    expert: int = 1  # GPUs that share the experts as wholes; 1: each expert is cut like the other matrices
    data: int = 1  # copies of attention, each with its own sequences
    spread: Spread = "equal"  # of the lengths
    steady: bool = False  # the rate of a window with a full batch; `clients` is then the mean batch
    most_batch: int | None = None  # the server's limit of sequences, of such a window
    prompts: int | None = None  # different prompts, which its requests repeat in turn
    power_w: float | None = None  # [W] of all GPUs, measured
    boundary: str = ""  # of the power
    flag: str | None = None  # why the row is shown but not judged
