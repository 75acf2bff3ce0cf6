"""Rows of MLPerf Inference: the lengths of a task if a source states them, and the latency limits of its scenarios."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.inference.simulation.arrivals import Quantiles
from bench.inference.simulation.largest import Target
from hardware_profiles.reading import read_toml

DATA = Path(__file__).parents[1] / "data"
LEVEL = 0.99  # [-] share of the requests within the limits
_OWN_OUTPUT = re.compile(r"TOKENS_PER_SAMPLE:\s*([\d.]+)")
_LATENCY = re.compile(r"\b(server|interactive|singlestream|multistream)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the benchmark."""

    input_len: int  # mean
    output_len: int  # mean
    requests: int  # of one copy of the model in a run
    source: str


def is_mlperf(load: str) -> bool:
    """Return whether a row's load is an MLPerf scenario."""
    return "mlperf" in load.casefold()


def task_of(model: str | None, data_set: str, note: str) -> Task | None:
    """Return the task of a row, with the output length of the row's note if it has one, or None."""
    table = _tasks().get(model or "")
    if table is None or "word" not in table or table["word"] not in re.sub(r"[^a-z0-9]", "", data_set.casefold()):
        return None
    own = _OWN_OUTPUT.search(note)
    output = round(float(own[1])) if own else table["output_len"]["value"]
    source = "TOKENS_PER_SAMPLE of the row" if own else table["output_len"]["source"]
    return Task(
        input_len=table["input_len"]["value"],
        output_len=output,
        requests=table["requests"]["value"],
        source=f"input: {table['input_len']['source']}; output: {source}",
    )


def target_of(model: str | None, load: str) -> Target | None:
    """Return the limits of a scenario whose requests arrive at random, or None for any other load."""
    match = _LATENCY.search(load)
    limit = None if match is None else _tasks().get(model or "", {}).get("limits", {}).get(match[1].casefold())
    return None if limit is None else Target(LEVEL, limit["ttft_ms"] / 1e3, limit["tpot_ms"] / 1e3)


def distributions_of(model: str | None) -> tuple[Quantiles | None, Quantiles | None]:
    """Return the distributions of a task's prompts and answers, or None for equal lengths."""
    table = _tasks().get(model or "", {}).get("quantiles")
    if table is None:
        return None, None
    inputs, outputs = (Quantiles(tuple(table["levels"]), tuple(table[key]["lengths"])) for key in ("inputs", "outputs"))
    return inputs, outputs


def latency_refusal(model: str | None, load: str) -> str | None:
    """Return why a scenario with a latency limit cannot be predicted, or None."""
    match = _LATENCY.search(load)
    if match is None or target_of(model, load) is not None:
        return None
    return f"batch_or_concurrency: no limits of MLPerf {match[1].capitalize()} under random arrivals are known"


@cache
def _tasks() -> dict[str, Any]:
    return read_toml(DATA / "mlperf_tasks.toml")
