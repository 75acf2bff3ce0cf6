"""The number of requests of ML.ENERGY's runs, from the settings that it publishes (github.com/ml-energy/benchmark)."""

import math
from functools import cache
from pathlib import Path

from hardware_profiles.opening import CSV
from sites.file.csv_rows import csv_rows

REPEATS = Path(__file__).parents[1] / "data" / "ml_energy_repeats.csv"  # at c1d6557, configs/vllm/*/*/*/*/sweeps.yaml
PROMPTS = {"gpqa": 198, "lm-arena-chat": 1024, "sourcegraph-fim": 1024}  # configs/vllm/*/benchmark.yaml
USUAL_ROUNDS = 1.5  # requests over sequences, which the listed runs have at least


def requests_of(task: str, model: str, device: str, gpus: int, most_batch: int) -> int | None:
    """Return the number of requests of a run, or None for an unknown task.

    Each prompt is sent as often as the settings say. Of a batch that they do not list, prompts are repeated until there
    are half as many more requests as sequences, which is the rule of most listed runs.

    Parameters
    ----------
    task, model, device
        As the publisher names them.
    gpus
        Number of GPUs.
    most_batch
        Limit of the sequences that run at once.
    """
    prompts = PROMPTS.get(task)
    if prompts is None:
        return None
    known = _repeats()
    name = device.split("-", maxsplit=1)[0]
    places = ((task, model, name, str(gpus), most_batch), (task, model, name, "", most_batch))
    listed = next((known[place] for place in places if place in known), None)
    return prompts * (listed or math.ceil(USUAL_ROUNDS * most_batch / prompts))


@cache
def _repeats() -> dict[tuple[str, str, str, str, int], int]:
    lines = csv_rows(REPEATS, CSV)
    next(lines)
    return {
        (task, model, device, gpus, int(most)): int(repeats)
        for _, (task, model, device, gpus, repeats, batches) in lines
        for most in batches.split()
    }
