"""The columns of measured_2026.csv: rates against concurrency, with the watts of the GPUs where they were measured."""

import math
import re
from dataclasses import dataclass, replace

from bench.inference.accelerator import slug_of
from bench.inference.columns.cells import known, length, number
from bench.inference.columns.mlperf import is_mlperf, latency_refusal, task_of
from bench.inference.columns.row import Row, Spread
from bench.inference.columns.runs import PROMPTS, requests_of
from bench.limits import MOST_CLIENTS
from kernels.llm.counts import precision
from kernels.llm.shapes import load

NEEDED = ("device", "gpus", "model", "dtype", "engine", "input_tokens", "output_tokens", "concurrency",
          "tokens_per_s_total_output", "power_w", "power_boundary", "source", "date")  # fmt: skip

OFFLINE = "offline"
ASYNCHRONOUS = (0, 14)  # vLLM 0.14 and later schedule a step while the device computes the last one
FASTER_HOST = (1, 2)  # TensorRT-LLM 1.2 and later hand out tokens faster
_OLDEST = {"vllm": (0, 9), "sglang": (0, 5), "trtllm": (1, 0)}  # versions that engines.toml describes
_ENGINES = {"vllm": "vllm", "sglang": "sglang", "tensorrt": "trtllm", "trtllm": "trtllm", "nim": "trtllm"}
# the maker's checkpoint keeps attention in bf16: "The Llama 3 Herd of Models", section 6.2, FP8 quantization
_OWN_PRECISION = {"llama-3.1-405b-instruct-fp8": "fp8-ffn"}
_REQUESTS = (r"\bn=(\d+)\b(?!\.\.)", r"; (\d+) prompts at c=1\b", r"; about (\d+) at every c\b")


@dataclass(frozen=True, slots=True)
class TaskLengths:
    """An assumption about a task whose publisher prints no input lengths."""

    input_len: int  # [token] mean
    spread: Spread
    source: str


# Input lengths are bounded by memory: the tokens that fit over the sequences of a batch are at least the mean context,
# which is the input and, of outputs with a coefficient of variation v, (1 + v^2) / 2 of their mean. The batches of most
# models allow this assumption; 2,042 sequences of Llama 3.1 70B on two B200 leave room for some 350 tokens only.
#
# The distributions are those of the outputs, which the publisher prints as histograms (github.com/ml-energy/leaderboard
# at 0cd52da, output_length_distribution): the median coefficient of variation is 0.97 for lm-arena-chat, 0.67 for gpqa
# and 1.50 for sourcegraph-fim. Of an exponential distribution it is 1, of a uniform one 0.58.
TASKS = {
    "lm-arena-chat": TaskLengths(250, "exponential", "assumed from the batches that fill the memory: about 250 tokens"),
    "gpqa": TaskLengths(
        200,
        "uniform",
        "841 characters a prompt, with an instruction of some 200: about 200 tokens (evalscope 1.6.0 documentation)",
    ),
    "sourcegraph-fim": TaskLengths(
        1400, "exponential", "assumed from the batches that fill the memory: at most 1,400 tokens"
    ),
}


def measured_row(line: int, cell: dict[str, str]) -> Row:
    """Return one row of a file with these columns."""
    reasons: list[str] = []
    rate, gpus = _above_0(cell["tokens_per_s_total_output"]), length(cell["gpus"])
    if rate is None:
        reasons.append(f"tokens_per_s_total_output: expected a rate above 0, got {cell['tokens_per_s_total_output']!r}")
    if gpus is None:
        reasons.append(f"gpus: expected a whole number above 0, got {cell['gpus']!r}")
    model = known(lambda: load(_bare(cell["model"])).name, reasons)
    dtype = known(lambda: precision(_OWN_PRECISION.get(cell["model"], cell["dtype"])).name, reasons)
    device = slug_of(cell["device"])
    if device is None:
        reasons.append(f"device: no profile for {cell['device']!r} in the catalogue")
    reasons.extend(
        f"{key}: expected a number above 0, or nothing, got {cell[key]!r}"
        for key in ("input_tokens", "output_tokens", "power_w")
        if cell[key] and _above_0(cell[key]) is None
    )
    row = Row(
        line=line, model=cell["model"], precision=cell["dtype"], gpu=cell["device"], gpus=gpus or 1,
        input_len=_rounded(cell["input_tokens"]), output_len=_rounded(cell["output_tokens"]), lengths_source="",
        clients=None, requests=None, load=cell["concurrency"], published_per_s=rate, source=cell["source"],
        note=cell["engine"], model_name=model, dtype=dtype, device_slug=device, separate=is_mlperf(cell["concurrency"]),
        refused=None, engine=_engine(cell["engine"], reasons), power_w=_above_0(cell["power_w"]),
        boundary=cell["power_boundary"], flag=_flag(cell["source"]),
    )  # fmt: skip
    row = _with_task(_with_parallelism(row, cell["engine"], reasons), reasons)
    return replace(row, refused="; ".join(reasons) or None)


def _bare(model: str) -> str:
    """Return a model's name without a precision at its end."""
    return re.sub(r"-(fp8|fp4|nvfp4|bf16)$", "", model, flags=re.IGNORECASE)


def _engine(text: str, reasons: list[str]) -> str:
    """Return the class of an engine by its name and version; no older version than that of `_OLDEST` is described."""
    name = next((name for word, name in _ENGINES.items() if text.casefold().startswith(word)), None)
    if name is None:
        reasons.append(f"engine: expected one of {', '.join(sorted(set(_ENGINES.values())))}, got {text!r}")
        return "vllm"
    stated = re.match(r"(?:vllm|sglang|tensorrt-llm|trtllm)-(\d+)\.(\d+)", text.casefold())
    if stated is None:
        return name
    version = int(stated[1]), int(stated[2])
    if version < _OLDEST[name]:
        oldest = "{}.{}".format(*_OLDEST[name])
        reasons.append(f"engine: expected version {oldest} or later, which the model describes, got {text!r}")
    if name == "vllm" and version < ASYNCHRONOUS:
        return "vllm-sync"
    return "trtllm-2026" if name == "trtllm" and version >= FASTER_HOST else name


def _flag(source: str) -> str | None:
    found = re.search(r"\bFLAG ([^;)]+)", source)
    return None if found is None else found[1].strip()


def _with_parallelism(row: Row, engine: str, reasons: list[str]) -> Row:
    """Return the row with the shards of its engine's name: -tpN, -epN, -dpN, -tepN (first two), -depN (last two)."""
    sizes = {kind: int(size) for kind, size in re.findall(r"-(tp|ep|dp|tep|dep)(\d+)\b", engine)}
    if any(size != row.gpus for size in sizes.values()):
        reasons.append(f"engine: expected shards over all {row.gpus} GPUs, got {engine!r}")
        return row
    expert = row.gpus if {"ep", "tep", "dep"} & set(sizes) else 1
    data = row.gpus if {"dp", "dep"} & set(sizes) else 1
    return replace(row, tensor=row.gpus // data, expert=expert, data=data)


def _with_task(row: Row, reasons: list[str]) -> Row:
    """Return the row with its clients, its number of requests and the lengths of its task."""
    if row.separate:
        return _mlperf(row, reasons)
    clients = number(row.load)
    if row.load != OFFLINE and (clients is None or not 1 <= clients <= MOST_CLIENTS):
        wanted = f"1 to {MOST_CLIENTS:,} clients, {OFFLINE} (all requests queued) or an MLPerf scenario"
        reasons.append(f"concurrency: expected {wanted}, got {row.load!r}")
        clients = None
    requests = next((int(found[1]) for text in _REQUESTS if (found := re.search(text, row.source))), None)
    if requests is not None and "400 above" in row.source and clients is not None and clients > 1:
        requests = 400
    row = replace(row, clients=None if clients is None else round(clients), requests=requests)
    if "lengths uniform" in row.source:
        row = replace(row, spread="uniform")
    named = re.search(r"\btask=(\S+)", row.source)
    task = None if named is None else TASKS.get(named[1])
    if task is not None:
        row = replace(row, input_len=row.input_len or task.input_len, spread=task.spread, lengths_source=task.source)
    if row.input_len is None or row.output_len is None:
        reasons.append("input_tokens, output_tokens: expected mean lengths or a known task, got none")
    row = replace(row, steady="mean batch" in row.source)
    limit = re.search(r"\bmax_num_seqs=(\d+)", row.source)
    if named is None or limit is None:
        return row
    most = int(limit[1])
    requests = requests_of(named[1], row.model, row.gpu, row.gpus, most)
    return replace(row, most_batch=most, requests=requests, prompts=PROMPTS.get(named[1]))


def _mlperf(row: Row, reasons: list[str]) -> Row:
    word = {"llama-2-70b": "openorca", "llama-3.1-8b": "cnndailymail"}.get(row.model_name or "", "")
    task = task_of(row.model_name, word, "")
    late = latency_refusal(row.model_name, row.load)
    if late is not None:
        reasons.append(late)
    if row.input_len is None or row.output_len is None:
        reasons.append("input_tokens, output_tokens: expected the mean lengths of the task, got none")
    return replace(row, requests=None if task is None else task.requests, lengths_source=task.source if task else "")


def _rounded(text: str) -> int | None:
    value = _above_0(text)
    return None if value is None else max(1, round(value))


def _above_0(text: str) -> float | None:
    value = number(text)
    return value if value is not None and 0 < value < math.inf else None
