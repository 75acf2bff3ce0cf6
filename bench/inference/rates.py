"""Setups by names, and token rates from stored results of replayed layers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.inference.accelerator import accelerator
from bench.inference.options import read_options
from bench.inference.serving import Setup, served_precision
from bench.results.token_tags import TagSet, tags_of
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.llm.shapes import load
from sites.market.device_rate import DeviceRate

if TYPE_CHECKING:
    from bench.results.record import Metric, Record

SHARED = ("model", "input", "output", "batch", "dtype")  # parameters that two records of one load have in common


def make_setup(model: str, dtype: str, device: str, gpus: int = 1, serving: str | None = None) -> Setup:
    """Return a model in a precision on a catalogue device.

    Parameters
    ----------
    model, dtype, device
        Names of the model, of its precision and of the GPU.
    gpus
        Number of GPUs.
    serving
        Class of serving engines with its options, as `read_options` takes it; None is the default class.

    Raises
    ------
    InputError
        A name is unknown, or the model cannot be served on this device.
    """
    options = read_options(serving)
    try:
        return Setup(
            load(model), served_precision(dtype, options.engine), accelerator(device), gpus, options.engine,
            expert=options.expert, data=options.data, drafted=options.drafted, accepted=options.accepted,
            hit_frac=options.hit_frac,
        )  # fmt: skip
    except KernelInputError as error:
        raise InputError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Served:
    """The serving figures of a measured prefill rate and a measured decode rate, one batch after the other."""

    tokens_per_s: float  # [output token/s]
    ttft_s: float  # [s] to read one batch of prompts
    tpot_s: float  # [s] of one decoding step
    joules_per_token: float | None  # [J] of one output token with its share of the prompt; None if one was not metered
    tags: TagSet  # boundary and power kind are `not metered` if neither was


def combined(prefill: "Record", decode: "Record") -> Served:
    """Return the serving figures of two records of one model, lengths and batch.

    Raises
    ------
    InputError
        A record is not valid, or the two differ in model, lengths or batch.
    """
    for record in (prefill, decode):
        if record.status != "ok" or record.rate is None:
            raise InputError.at(f"result {record.id}", "status", expected="ok", got=record.status)
    first, second = prefill.workload.parameters, decode.workload.parameters
    for key in SHARED:
        if first.get(key) != second.get(key):
            raise InputError.at(f"result {decode.id}", key, expected=str(first.get(key)), got=second.get(key))
    batch, prompt, answer = (_number(first, key) for key in ("batch", "input", "output"))
    prefill_per_s, decode_per_s = prefill.metrics["rate"].value, decode.metrics["rate"].value
    energy = _energy(prefill, decode, prompt / answer)
    return Served(
        tokens_per_s=1.0 / (1.0 / decode_per_s + prompt / answer / prefill_per_s),
        ttft_s=batch * prompt / prefill_per_s,
        tpot_s=batch / decode_per_s,
        joules_per_token=None if energy is None else energy[0],
        tags=tags_of(decode),
    )


def served_rate(prefill: "Record", decode: "Record") -> DeviceRate:
    """Return two measured records as the rate for a site: output tokens with the time and energy of their prompts.

    Raises
    ------
    InputError
        As in `combined`, or one of the five tags is missing.
    """
    served = combined(prefill, decode)
    tags = served.tags.checked(f"result {decode.id}")
    assumed = decode.assumed_power_w
    power_w = assumed.power_w if served.joules_per_token is None and assumed is not None else None
    if served.joules_per_token is not None:
        power_w = served.joules_per_token * served.tokens_per_s
    if power_w is None:
        raise InputError.at(
            f"result {decode.id}", "tag boundary", expected=f"power at one boundary in it and in {prefill.id}"
        )
    parameters = decode.workload.parameters
    return DeviceRate(
        name=f"{parameters['model']} {parameters['dtype']} on {decode.device.name}",
        unit="token",
        rate_per_s=served.tokens_per_s,
        rate_interval_per_s=_interval(prefill, decode, served),
        power_w=power_w,
        power_interval_w=None,
        boundary=tags.boundary,
        basis="measured",
        power_basis="measured" if served.joules_per_token is not None else "assumed",
        confidence="one_source",
        source=(
            f"measured here, {decode.run.started_utc:%Y-%m-%d}, results {prefill.id} and {decode.id}: layers with "
            f"random weights, batch {parameters['batch']}"
        ),
        tags=tags,
        plan=decode.run.plan,
        codes=tuple(dict.fromkeys(reason.code for record in (prefill, decode) for reason in record.warnings)),
        tpot_s=served.tpot_s,
    )


def prompts_of(decode: "Record", records: "Iterable[Record]") -> "Record":
    """Return the record of a decoding record's prompts: of the same run, model, lengths and batch.

    Raises
    ------
    InputError
        There is none, so that the rate would omit the time of the prompts.
    """
    prefill, parameters = decode.workload.name.replace("_decode_", "_prefill_"), decode.workload.parameters
    for record in records:
        same = all(record.workload.parameters.get(key) == parameters.get(key) for key in SHARED)
        if record.workload.name == prefill and record.run.run_id == decode.run.run_id and same:
            return record
    raise InputError.at(
        f"result {decode.id}", "tag lengths",
        expected=f"the {prefill} of the same run, to include the prompts in {parameters.get('lengths')}",
    )  # fmt: skip


def _interval(prefill: "Record", decode: "Record", served: Served) -> tuple[float, float] | None:
    """Return the 95 % interval of the served rate, from its two independent parts."""
    answers = served.tokens_per_s / decode.metrics["rate"].value  # share of the time
    half = 0.0
    for record, share in ((decode, answers), (prefill, 1.0 - answers)):
        metric = record.metrics["rate"]
        if metric.interval_95 is None:
            return None
        half += (share * (metric.interval_95[1] - metric.interval_95[0]) / 2.0 / metric.value) ** 2
    return served.tokens_per_s * (1.0 - half**0.5), served.tokens_per_s * (1.0 + half**0.5)


def _energy(prefill: "Record", decode: "Record", prompts_per_output: float) -> "tuple[float, Metric] | None":
    first, second = prefill.energy_per_unit, decode.energy_per_unit
    if first is None or second is None or first.boundary != second.boundary:
        return None
    return second.value + prompts_per_output * first.value, second


def _number(parameters: "dict[str, str | int | float | bool | list[int] | None]", key: str) -> float:
    value = parameters.get(key)
    if not isinstance(value, int | float):
        raise InputError.at("result", f"workload.parameters.{key}", expected="a number", got=value)
    return float(value)
