"""Token rates by name and from stored results: `llm:MODEL:DTYPE:DEVICE[xGPUS]:INPUT:OUTPUT[:BATCH]`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.inference.device import accelerator
from bench.inference.engine import engine
from bench.inference.predict import device_rate, plan_run, predict
from bench.inference.serving import Setup
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.llm_counts import precision
from kernels.llm_shapes import load
from sites.device_rate import DeviceRate, TokenTags

if TYPE_CHECKING:
    from bench.records import Metric, Record

PREFIX = "llm:"
FORM = "llm:MODEL:DTYPE:DEVICE[xGPUS]:INPUT:OUTPUT[:BATCH]"


def make_setup(model: str, dtype: str, device: str, gpus: int = 1) -> Setup:
    """Return a model in a precision on a catalogue device.

    Raises
    ------
    InputError
        A name is unknown, or the model cannot be served so.
    """
    try:
        return Setup(load(model), precision(dtype), accelerator(device), gpus, engine())
    except KernelInputError as error:
        raise InputError(str(error)) from None


def modelled_rate(name: str) -> DeviceRate:
    """Return the modelled rate of one GPU that a name asks for; without a batch, at full load with no latency limit.

    Raises
    ------
    InputError
        The name has another form, or what it names cannot be served.
    """
    parts = name.removeprefix(PREFIX).split(":")
    if len(parts) not in (5, 6):
        raise InputError.at("device", expected=FORM, got=name)
    model, dtype, device = parts[:3]
    slug, cross, count = device.rpartition("x")
    many = bool(cross) and count.isdigit()
    numbers = [_whole(part, name) for part in parts[3:]]
    setup = make_setup(model, dtype, slug if many else device, int(count) if many else 1)
    clients = numbers[2] if len(numbers) == 3 else None
    if clients is not None:
        setup.check_batch(clients, numbers[0], numbers[1])
    limit = "none (offline)" if clients is None else "none (closed loop)"
    return device_rate(predict(plan_run(setup, numbers[0], numbers[1], clients=clients), latency_limit=limit))


@dataclass(frozen=True, slots=True)
class Served:
    """What a measured prefill rate and a measured decode rate give together, one batch after the other.

    tokens_per_s: output tokens [token/s]. ttft_s: to read one batch of prompts. tpot_s: one decode step.
    joules_per_token: of one output token with its share of the prompt, or None where either was not metered.
    """

    tokens_per_s: float
    ttft_s: float
    tpot_s: float
    joules_per_token: float | None
    tags: TokenTags | None


def combined(prefill: "Record", decode: "Record") -> Served:
    """Return the serving figures of two records of one model, lengths and batch.

    Raises
    ------
    InputError
        A record is not valid, or they are of different models, lengths or batches.
    """
    shared = ("model", "input", "output", "batch", "dtype")
    for record in (prefill, decode):
        if record.status != "ok" or record.rate is None:
            raise InputError.at(f"result {record.id}", "status", expected="ok", got=record.status)
    first, second = prefill.workload.parameters, decode.workload.parameters
    for key in shared:
        if first.get(key) != second.get(key):
            raise InputError.at(f"result {decode.id}", key, expected=str(first.get(key)), got=second.get(key))
    batch, prompt, answer = (_number(first, key) for key in ("batch", "input", "output"))
    read, given = prefill.metrics["rate"].value, decode.metrics["rate"].value
    energy = _energy(prefill, decode, prompt / answer)
    tags = None
    if energy is not None and energy[1].boundary is not None:
        limit = str(second.get("latency_limit", "none"))
        tags = TokenTags(energy[1].boundary, "measured", "output", f"{int(prompt)}:{int(answer)}", limit)
    return Served(
        tokens_per_s=1.0 / (1.0 / given + prompt / answer / read),
        ttft_s=batch * prompt / read,
        tpot_s=batch / given,
        joules_per_token=None if energy is None else energy[0],
        tags=tags,
    )


def _energy(prefill: "Record", decode: "Record", prompts_per_output: float) -> "tuple[float, Metric] | None":
    first, second = prefill.energy_metric(), decode.energy_metric()
    if first is None or second is None or first.boundary != second.boundary:
        return None
    return second.value + prompts_per_output * first.value, second


def _number(parameters: "dict[str, str | int | float | bool | list[int] | None]", key: str) -> float:
    value = parameters.get(key)
    if not isinstance(value, int | float):
        raise InputError.at("result", f"workload.parameters.{key}", expected="a number", got=value)
    return float(value)


def _whole(text: str, name: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise InputError.at("device", expected=f"{FORM}, whole numbers at its end", got=name)
    return int(text)
