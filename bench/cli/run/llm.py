"""`perwatt run llm`: a model's layers measured on this machine, or modelled on a device of the catalogue."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bench.cli.options import FOLDER, json_option
from bench.cli.output import emit_json
from bench.cli.run.llm_tables import document, measured_document, print_measured, print_modelled
from bench.cli.run.measure import check_threads, measure_all, opened, specs
from bench.results.layout import STORE
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.inference.predict import Prediction
    from bench.inference.serving import Setup
    from bench.workloads.protocol import Workload

MEASURED_ONLY = ("--threads", "--plan", "--meter", "--watts", "--out")
ON_CPU = ("tiny", "tiny-moe")
MODELLED_DEVICE = "nvidia-h200"
PHASES = ("prefill", "decode")


class RunCommand(click.Command):
    """`run`, whose first argument `llm` hands over to the command of this file."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Make the context of `run`, or of `run llm`."""
        if args and args[0] == "llm":
            return llm.make_context(f"{info_name} llm", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command()
@click.option("--model", default="tiny", show_default=True, help="A name of `perwatt list models`.")
@click.option("--dtype", help="fp32, bf16, fp16, fp8, fp4 or mxfp4; fp32 on the CPU and bf16 elsewhere if left out.")
@click.option("--input", "input_len", type=int, default=256, show_default=True, help="Tokens of a prompt.")
@click.option("--output", "output_len", type=int, default=64, show_default=True, help="Tokens of an answer.")
@click.option(
    "--batch", default="4", show_default=True, help="Users at once: 8, a sweep 1,8,64, all (powers of 2, the most)."
)
@click.option("--device", help="cpu, gpu:INDEX (measured), or a GPU of the catalogue (modelled).")
@click.option("--gpus", type=int, default=1, show_default=True, help="GPUs as tensor-parallel shards (modelled).")
@click.option("--offline", is_flag=True, help="All requests queued, as many at once as fit (modelled).")
@click.option("--ttft-ms", type=float, help="Latency limit: the largest load whose first token comes in time.")
@click.option("--tpot-ms", type=float, help="Latency limit: the largest load whose further tokens come in time.")
@click.option("--plot", type=click.Path(path_type=Path), help="Tokens/s per user against tokens per joule.")
@click.option("--threads", type=int, help="CPU threads; every usable core if left out.")
@click.option("--plan", default="quick", show_default=True, help="smoke, quick or publish (measured).")
@click.option("--meter", "meters", multiple=True, help="As in `perwatt run` (measured).")
@click.option("--watts", type=float, help="A power that you state: an assumption, never energy (measured).")
@click.option(
    "--out",
    "store",
    type=FOLDER,
    default=STORE,
    show_default=True,
    help="Results folder.",
)
@json_option
def llm(
    model: str,
    dtype: str | None,
    input_len: int,
    output_len: int,
    batch: str,
    device: str | None,
    gpus: int,
    offline: bool,
    ttft_ms: float | None,
    tpot_ms: float | None,
    plot: Path | None,
    threads: int | None,
    plan: str,
    meters: tuple[str, ...],
    watts: float | None,
    store: Path,
    as_json: bool,
) -> int:
    """Tokens per second and per joule of a model's layers.

    On the CPU and on a GPU of this machine the layers run with random weights and are measured; a GPU of the catalogue
    is modelled, and says so beside every figure.
    """
    from kernels.llm.shapes import load

    shape = load(model)
    place = device or ("cpu" if shape.name in ON_CPU else MODELLED_DEVICE)
    if place == "cpu" or place.startswith("gpu"):
        _refuse_measured(place, gpus, offline=offline, limits=(ttft_ms, tpot_ms), plot=plot)
        asked = {"model": shape.name, "input": input_len, "output": output_len}
        todo = _on_cpu(dtype, asked, batch, threads) if place == "cpu" else _on_gpu(place, dtype, asked, batch)
        return _measure(todo, place, plan, (meters, watts, store), as_json=as_json)
    from bench.inference.plots import check_plot_path, plot_pareto
    from bench.inference.rates import make_setup

    _refuse_modelled(place)
    if plot is not None:
        check_plot_path(plot)
    setup = make_setup(model, dtype or "bf16", place, gpus)
    if setup.device.power_w is None:
        raise InputError.at(f"profile {place}", "tdp_w", expected="a power, to tag a token rate with its boundary")
    found = _modelled(setup, (input_len, output_len), batch, offline=offline, limits_ms=(ttft_ms, tpot_ms))
    if plot is not None:
        plot_pareto(found, plot)
    if as_json:
        emit_json(document(setup, found))
    else:
        print_modelled(setup, found, chosen=device is not None)
    return 0


def _modelled(
    setup: "Setup", lengths: tuple[int, int], batch: str, *, offline: bool, limits_ms: tuple[float | None, float | None]
) -> "list[Prediction]":
    from bench.inference.predict import best_within, plan_run, predict

    ttft, tpot = (None if limit is None else limit / 1e3 for limit in limits_ms)
    for name, limit in (("--ttft-ms", ttft), ("--tpot-ms", tpot)):
        if limit is not None and not limit > 0:
            raise InputError.at(name, expected="milliseconds above 0", got=limit * 1e3)
    if ttft is not None or tpot is not None:
        return [best_within(setup, *lengths, ttft_limit_s=ttft, tpot_limit_s=tpot)]
    if offline:
        return [predict(plan_run(setup, *lengths))]
    setup.check_lengths(*lengths)
    batches = _batches(batch, most=setup.most_sequences(sum(lengths)))
    for clients in batches:
        setup.check_batch(clients, *lengths)
    return [
        predict(plan_run(setup, *lengths, clients=clients), latency_limit="none (closed loop)") for clients in batches
    ]


def _batches(text: str, most: int | None) -> list[int]:
    if text == "all":
        top = max(1, most or 64)
        return sorted({*(1 << power for power in range(top.bit_length())), top})
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise InputError.at("--batch", expected="whole numbers above 0 with commas between, or all", got=text)
    return [int(part) for part in parts]


def _refuse_modelled(place: str) -> None:
    """Refuse options that a modelled run would leave unheeded, and a number of GPUs within the device's name."""
    from hardware_profiles.catalog import names

    context = click.get_current_context()
    asked = [
        option.opts[-1]
        for option in context.command.params
        if option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    ]
    for name in asked:
        if name in MEASURED_ONLY:
            raise InputError.at(name, expected="--device cpu or gpu:INDEX, where something is measured", got=place)
    loads = [name for name in asked if name in ("--batch", "--offline", "--ttft-ms", "--tpot-ms")]
    if len(loads) > 1 and set(loads) != {"--ttft-ms", "--tpot-ms"}:
        raise InputError.at(loads[0], expected="a batch, all queued, or a latency limit", got=" with ".join(loads))
    slug, cross, count = place.rpartition("x")
    if cross and count.isdigit() and slug in names():
        raise InputError.at("--device", expected=f"{slug} with --gpus {count}", got=place)


def _refuse_measured(
    place: str, gpus: int, *, offline: bool, limits: Sequence[float | None], plot: Path | None
) -> None:
    """Refuse what only a modelled device has."""
    if gpus != 1:
        where = "on the CPU" if place == "cpu" else "to measure; a GPU of the catalogue is modelled with several"
        raise InputError.at("--gpus", expected=f"1 {where}", got=gpus)
    if offline or plot is not None or any(limit is not None for limit in limits):
        raise InputError.at(
            "--device", expected="a GPU of the catalogue for --offline, --ttft-ms, --tpot-ms and --plot", got=place
        )


def _on_cpu(dtype: str | None, asked: dict[str, object], batch: str, threads: int | None) -> "list[Workload]":
    """Return prefill and decode for each batch."""
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create
    from kernels.llm.counts import precision

    kind = precision(dtype or "fp32").name
    if kind != "fp32":
        raise InputError.at("--dtype", expected="fp32, the one that the CPU replay computes in", got=kind)
    check_threads(threads)
    return [
        create(f"llm_{phase}_f32_cpu", WorkloadOptions(threads=threads, extra={**asked, "batch": one}))
        for one in _batches(batch, most=None)
        for phase in PHASES
    ]


def _on_gpu(place: str, dtype: str | None, asked: dict[str, object], batch: str) -> "list[Workload]":
    """Return prefill and decode for each batch, once the GPU is there and holds them."""
    from bench.machine.devices import device_under_test
    from bench.workloads.cuda.llm_replay_cuda import LlmReplayCuda
    from bench.workloads.protocol import WorkloadOptions
    from kernels.gpu.device import inspect, parse_device
    from kernels.llm.counts import precision
    from kernels.llm.source_cuda import replay_formats

    kind = precision(dtype or "bf16").name
    replay_formats(kind)

    def made(phase: str, one: int) -> LlmReplayCuda:
        return LlmReplayCuda(f"llm_{phase}_{kind}_cuda", WorkloadOptions(place, extra={**asked, "batch": one}))

    smallest = made("decode", 1)
    device_under_test(place)
    free_bytes = inspect(parse_device(place)).free_bytes
    most = None if free_bytes is None else smallest.room(free_bytes).most_sequences()
    todo = [made(phase, one) for one in _batches(batch, most) for phase in PHASES]
    for workload in todo:
        workload.check_device()
    return [*todo]


def _measure(
    todo: "Sequence[Workload]",
    device: str,
    plan: str,
    options: tuple[tuple[str, ...], float | None, Path],
    *,
    as_json: bool,
) -> int:
    from bench.inference.rates import combined
    from bench.measure.plan import get_plan
    from bench.measure.runner import Job
    from bench.meters.protocol import MeterOptions
    from bench.results.folder import prepare_store

    meters, watts, store = options
    chosen = get_plan(plan)
    prepare_store(store)
    with opened(specs(meters, watts, device), MeterOptions(watts=watts)) as reading:
        job = Job.start(chosen, store, sys.argv[1:])
        records = measure_all(todo, job, reading, device, metered=None, quiet=as_json)
    pairs = list(zip(records[::2], records[1::2], strict=True))
    served = [
        combined(prefill, decode) if prefill.status == decode.status == "ok" else None for prefill, decode in pairs
    ]
    if as_json:
        emit_json(measured_document(pairs, served, store))
    else:
        print_measured(pairs, served, store)
    return 0 if all(record.status == "ok" for record in records) else 1
