"""The scale of modelled rates by what was measured on the same device: replayed layers, or a server."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from bench.inference.accelerator import slug_of
from bench.inference.predict import Scale, plan_run, predict
from bench.inference.rates import combined, prompts_of
from bench.inference.serving import Setup
from bench.results.evidence.endpoint import has_random_weights
from bench.results.layout import result_names
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.llm.shapes import load

if TYPE_CHECKING:
    from bench.results.record import Record

MOST_FACTOR = 4.0
"""Measured over modelled rate, or the reverse, above which the two cannot be of one model on one device."""


def scale_of(setup: Setup, store: Path, server: str | None = None) -> Scale | None:
    """Return the scale of a setup by the results of a folder, or None if nothing was measured.

    Parameters
    ----------
    setup
        The model on its device.
    store
        The results folder, in which replayed layers of this model, precision and GPU are looked up.
    server
        Id of a result of `perwatt run endpoint` from a server on this device, or None. The hardware behind an address
        is not known, so that only the user can name it.

    Raises
    ------
    InputError
        The named result is not valid or of another model, or its rate cannot be of this device.
    """
    if server is None:
        return _of_layers(setup, store)
    from bench.results.folder import find_result, read_whole

    return _of_server(setup, read_whole(find_result(store, server)))


def _of_layers(setup: Setup, store: Path) -> Scale | None:
    """Return the scale by the newest replay of each batch on one GPU of this kind; shards are not replayed."""
    from bench.results.folder import read_record

    if setup.gpus != 1:
        return None
    name = f"llm_decode_{setup.kind.name}_cuda"
    ratios: dict[object, float] = {}
    ids = []
    for id_ in reversed(result_names(store)):
        if f"-{name}-" not in id_:
            continue
        decode = read_record(store / id_)
        parameters = decode.workload.parameters
        same = decode.run.plan != "smoke" and slug_of(decode.device.name) == setup.device.slug
        if not same or parameters.get("model") != setup.shape.name or parameters.get("batch") in ratios:
            continue
        measured = _with_prompts(decode, store)
        if measured is None:
            continue
        batch, inputs, outputs = (int(str(parameters[key])) for key in ("batch", "input", "output"))
        ratios[batch] = measured / _modelled(setup, inputs, outputs, batch, batch)
        ids.append(decode.id)
    if not ratios:
        return None
    factor = math.exp(sum(math.log(ratio) for ratio in ratios.values()) / len(ratios))
    return Scale(_checked(factor, f"results {', '.join(ids)}"), f"replayed layers, {_results(ids)}")


def _with_prompts(decode: "Record", store: Path) -> float | None:
    """Return the rate of a decoding record with its prompts [output token/s], or None if one is not valid."""
    from bench.results.folder import read_record

    prefill = decode.workload.name.replace("_decode_", "_prefill_")
    prompts = (read_record(store / one) for one in result_names(store) if f"-{prefill}-" in one)
    try:
        return combined(prompts_of(decode, prompts), decode).tokens_per_s
    except InputError:
        return None


def _of_server(setup: Setup, record: "Record") -> Scale:
    place, parameters = f"result {record.id}", record.workload.parameters
    if record.status != "ok" or record.rate is None:
        raise InputError.at(place, "status", expected="ok", got=record.status)
    if record.run.plan == "smoke":
        raise InputError.at(
            place, "plan", expected="quick or publish", got="smoke, which only checks that the run works"
        )
    if has_random_weights(record.device):
        raise InputError.at(place, "device", expected="a server whose model is a product", got=record.device.name)
    served = str(parameters.get("model"))
    try:
        model = load(served.rsplit("/", 1)[-1]).name
    except KernelInputError:
        model = served
    if model != setup.shape.name:
        raise InputError.at(place, "workload.parameters.model", expected=setup.shape.name, got=served)
    figures = [parameters.get(key) for key in ("concurrency", "input", "output")]
    if not all(isinstance(figure, int) for figure in figures):
        raise InputError.at(place, "workload.parameters", expected="a concurrency and lengths in tokens")
    clients, inputs, outputs = (int(str(figure)) for figure in figures)
    factor = record.rate.value / _modelled(setup, inputs, outputs, clients)
    return Scale(_checked(factor, place), f"a server with {clients} at a time, {_results([record.id])}")


def _modelled(setup: Setup, inputs: int, outputs: int, clients: int, requests: int | None = None) -> float:
    return predict(plan_run(setup, inputs, outputs, clients=clients, requests=requests)).tokens_per_s


def _checked(factor: float, place: str) -> float:
    if not 1.0 / MOST_FACTOR <= factor <= MOST_FACTOR:
        raise InputError.at(
            place, expected=f"a rate within {MOST_FACTOR:g} times the modelled one, if it is of this model and device",
            got=f"{factor:.3g} times",
        )  # fmt: skip
    return factor


def _results(ids: list[str]) -> str:
    return f"result{'s' if len(ids) > 1 else ''} {', '.join(ids)}"
