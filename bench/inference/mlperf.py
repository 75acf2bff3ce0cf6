"""Rows of MLPerf Inference: mean lengths of a task if a source states them, and why latency scenarios are refused."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hardware_profiles.reading import read_toml

DATA = Path(__file__).parent / "data"
_OWN_OUTPUT = re.compile(r"TOKENS_PER_SAMPLE:\s*([\d.]+)")
_LATENCY = re.compile(r"\b(server|interactive|singlestream|multistream)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the benchmark."""

    input_len: int  # mean
    output_len: int  # mean
    requests: int  # of one copy of the model in a run
    limits: dict[str, str]  # latency limits by scenario
    source: str


def is_mlperf(load: str) -> bool:
    """Return whether a row's load is an MLPerf scenario."""
    return "mlperf" in load.casefold()


def task_of(model: str | None, data_set: str, note: str) -> Task | None:
    """Return the task of a row, with the output length of the row's note if it has one, or None."""
    table = _tasks().get(model or "")
    if table is None or table["word"] not in re.sub(r"[^a-z0-9]", "", data_set.casefold()):
        return None
    own = _OWN_OUTPUT.search(note)
    output = round(float(own[1])) if own else table["output_len"]["value"]
    source = "TOKENS_PER_SAMPLE of the row" if own else table["output_len"]["source"]
    return Task(
        input_len=table["input_len"]["value"],
        output_len=output,
        requests=table["requests"]["value"],
        limits=table["limits"],
        source=f"input: {table['input_len']['source']}; output: {source}",
    )


def latency_refusal(load: str, task: Task | None) -> str | None:
    """Return why a scenario with a latency limit cannot be predicted, or None for Offline."""
    match = _LATENCY.search(load)
    if match is None:
        return None
    scenario = match[1].casefold()
    limit = f" ({task.limits[scenario]})" if task is not None and scenario in task.limits else ""
    return (
        f"batch_or_concurrency: MLPerf {scenario.capitalize()} limits the 99th percentile of latencies under random "
        f"arrivals{limit}; the model predicts mean latencies of users who wait for their answers"
    )


@cache
def _tasks() -> dict[str, Any]:
    return read_toml(DATA / "mlperf_tasks.toml")
