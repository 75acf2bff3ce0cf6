"""MLPerf Inference rows: mean lengths of a task where a source gives them, and why a latency scenario is refused."""

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
    """A task: mean lengths [token], requests of one copy of the model in a run, latency limits by scenario, sources."""

    input_len: int
    output_len: int
    requests: int
    limits: dict[str, str]
    source: str


def is_mlperf(load: str) -> bool:
    """Whether a row's load is an MLPerf scenario."""
    return "mlperf" in load.casefold()


def task_of(model: str | None, data_set: str, note: str) -> Task | None:
    """Return the task that a row names, with the row's own output length where its note has one, or None."""
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
    found = _LATENCY.search(load)
    if found is None:
        return None
    scenario = found[1].casefold()
    limit = f" ({task.limits[scenario]})" if task is not None and scenario in task.limits else ""
    return (
        f"batch_or_concurrency: MLPerf {scenario.capitalize()} limits the 99th percentile of latencies under random "
        f"arrivals{limit}; the model knows mean latencies of users who wait for their answers"
    )


@cache
def _tasks() -> dict[str, Any]:
    return read_toml(DATA / "mlperf_tasks.toml")
