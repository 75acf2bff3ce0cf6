"""Published serving rates from a CSV file: each row as a load to predict, or with the reason why that is impossible."""

import math
import re
from functools import cache
from pathlib import Path

from bench.inference.accelerator import slug_of
from bench.inference.columns import measured
from bench.inference.columns.cells import known, length, number
from bench.inference.columns.mlperf import is_mlperf, latency_refusal, task_of
from bench.inference.columns.row import Row
from bench.limits import MOST_CLIENTS
from hardware_profiles.errors import InputError, shown
from hardware_profiles.opening import CSV
from kernels.llm.counts import precision
from kernels.llm.shapes import load
from sites.file.csv_rows import csv_rows

DATA = Path(__file__).parent / "data"
BUNDLED = DATA / "inference_figures.csv"
SECOND = DATA / "second_holdout.csv"
SINGLE_STREAM = DATA / "single_stream.csv"
MEASURED = DATA / "measured_2026.csv"
MORE = DATA / "measured_2026_more.csv"
ONCE_BLIND = DATA / "measured_2026_blind.csv"  # predicted once before any constant was fitted on it
SECOND_BLIND = DATA / "measured_2026_blind_2.csv"  # the same, of other publishers
__all__ = [
    "BUNDLED", "MEASURED", "MORE", "ONCE_BLIND", "SECOND", "SECOND_BLIND", "SINGLE_STREAM", "Row", "published_like",
    "read_rows",
]  # fmt: skip

NEEDED = ("model", "weight_precision", "gpu", "num_gpus", "parallelism", "input_len", "output_len",
          "batch_or_concurrency", "metric", "value")  # fmt: skip

# number of requests of each run by lengths, as the publisher states them: TensorRT-LLM perf-overview, v1.0 and later.
REQUESTS = {
    (128, 128): 30000, (128, 2048): 3000, (128, 4096): 1500, (500, 2000): 3000, (1000, 1000): 3000,
    (1000, 2000): 1500, (2048, 128): 3000, (2048, 2048): 1500, (5000, 500): 1500, (20000, 2000): 1000,
    (1024, 1024): 3000, (8192, 1024): 1500, (1024, 8192): 1500, (32768, 1024): 1000, (1024, 32768): 1000,
}  # fmt: skip


def published_like(names: tuple[str, str, str, int], lengths: tuple[int, int], clients: int | None) -> Row | None:
    """Return a bundled row of the same model, precision, device, number of GPUs, lengths and clients, or None."""
    for row in _bundled():
        same = (row.model_name, row.dtype, row.device_slug, row.gpus) == names
        if same and not row.separate and (row.input_len, row.output_len) == lengths and row.clients == clients:
            return row
    return None


@cache
def _bundled() -> tuple[Row, ...]:
    return (*read_rows(BUNDLED), *read_rows(SECOND))


def read_rows(path: Path) -> list[Row]:
    """Return all rows of a file with the columns of inference_figures.csv or of measured_2026.csv.

    Raises
    ------
    InputError
        The file does not exist, is not CSV, lacks a column or has no rows.
    """
    lines = csv_rows(path, CSV)
    _, heading = next(lines, (0, []))
    newer = "tokens_per_s_total_output" in heading
    needed, make = (measured.NEEDED, measured.measured_row) if newer else (NEEDED, _row)
    missing = [name for name in needed if name not in heading]
    if missing:
        raise InputError(f"{path}: line 1: expected the columns {', '.join(needed)}, got no {', '.join(missing)}")
    rows = [make(line, dict(zip(heading, cells, strict=True))) for line, cells in lines]
    if not rows:
        raise InputError(f"{path}: expected at least one row, got none")
    return rows


def _row(line: int, cell: dict[str, str]) -> Row:
    reasons: list[str] = []
    value, gpus = number(cell["value"]), length(cell["num_gpus"])
    if value is None or not 0 < value < math.inf:
        value = None
        reasons.append(f"value: expected a rate above 0, got {cell['value']!r}")
    if gpus is None:
        reasons.append(f"num_gpus: expected a whole number above 0, got {cell['num_gpus']!r}")
    model = known(lambda: load(_bare(cell["model"])).name, reasons)
    dtype = known(lambda: precision(cell["weight_precision"]).name, reasons)
    device = slug_of(cell["gpu"])
    if device is None:
        reasons.append(f"gpu: no profile for {cell['gpu']!r} in the catalogue")
    load_words, note = cell["batch_or_concurrency"], cell.get("note", "")
    separate = is_mlperf(load_words)
    lengths = (length(cell["input_len"]), length(cell["output_len"]))
    task = task_of(model, cell["input_len"], note) if separate else None
    late = latency_refusal(model, load_words) if separate else None
    if late is not None:
        reasons.append(late)
    if task is not None:
        lengths = (task.input_len, task.output_len)
    elif None in lengths:
        texts = f"{cell['input_len']!r} and {cell['output_len']!r}"
        reasons.append(f"lengths: {texts} are not numbers, and no source states the task's mean lengths")
    if not separate:
        reasons += _parallel(cell["parallelism"], gpus or 1)
    clients = _clients(cell["batch_or_concurrency"], reasons)
    scale = _scale(cell["metric"], gpus or 1, reasons)
    return Row(
        line=line, model=cell["model"], precision=cell["weight_precision"], gpu=cell["gpu"], gpus=gpus or 1,
        input_len=lengths[0], output_len=lengths[1], lengths_source="" if task is None else task.source,
        clients=clients, requests=_requests(lengths, clients) if task is None else task.requests, load=load_words,
        published_per_s=None if value is None else value * scale,
        source=cell.get("source", ""), note=note, model_name=model, dtype=dtype,
        device_slug=device, separate=separate, refused="; ".join(reasons) or None,
    )  # fmt: skip


def _requests(lengths: tuple[int | None, int | None], clients: int | None) -> int | None:
    input_len, output_len = lengths
    if clients is not None or input_len is None or output_len is None:
        return None
    return REQUESTS.get((input_len, output_len))


def _bare(model: str) -> str:
    """Return a published model's name without owner and precision."""
    name = model.rsplit("/", 1)[-1]
    return re.sub(r"-(fp8|fp4|nvfp4|bf16|fp16)$", "", name, flags=re.IGNORECASE)


def _parallel(text: str, gpus: int) -> list[str]:
    """Return why a parallelism cannot be predicted; only tensor parallelism over all GPUs can."""
    folded = text.casefold().replace(" ", "")
    if folded in {"", "none", "tp", f"tp{gpus}", f"tp{gpus},pp1", f"tp{gpus}pp1"}:
        return []
    kinds = {"pp": "pipeline parallelism", "dep": "attention data parallelism", "ep": "expert parallelism"}
    kind = next((name for key, name in kinds.items() if re.search(rf"(^|,|\b){key}[2-9]", folded)), "this parallelism")
    return [f"parallelism: {kind} is not modelled, got {text!r} over {gpus} GPUs"]


def _clients(text: str, reasons: list[str]) -> int | None:
    folded = text.casefold()
    if "offline" in folded or "mlperf" in folded:
        return None
    number = re.search(r"\d+", folded)
    if number is not None and len(number[0]) > len(str(MOST_CLIENTS)):
        reasons.append(f"batch_or_concurrency: expected at most {MOST_CLIENTS:,} clients, got {shown(text)}")
        return None
    if number is None or int(number[0]) < 1:
        reasons.append(f"batch_or_concurrency: expected 'offline' or a number of clients, got {text!r}")
        return None
    return int(number[0])


def _scale(metric: str, gpus: int, reasons: list[str]) -> float:
    """Return the factor from the published value to output tokens per second of all GPUs."""
    folded = metric.casefold().replace(" ", "")
    if not re.search(r"tok(en)?s?/s", folded):
        reasons.append(f"metric: expected output tokens/s, got {metric!r}")
    elif "total" in folded and "output" not in folded:
        reasons.append(f"metric: expected output tokens, got {metric!r}")
    return float(gpus) if re.search(r"(/|per)gpu", folded) else 1.0
