"""`perwatt run llm`: the layers of a model measured on this machine, or modelled on a GPU of the catalogue."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import examples
from bench.cli.options import (
    NUMBER,
    WHOLE,
    PositiveRange,
    WholeRange,
    is_stated,
    json_option,
    plan_option,
    prepare_out,
    store_option,
)
from bench.cli.output import emit_json
from bench.cli.run.llm_tables import measured_document, print_measured
from bench.cli.run.measure import check_machine, measure_all, opened, specs
from bench.cli.run.modelled.loads import batches
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.workloads.protocol import Workload

ON_CPU = ("tiny", "tiny-moe")
MODELLED_DEVICE = "nvidia-h200"
PHASES = ("prefill", "decode")


@click.command(
    epilog=examples(
        "perwatt run llm",
        "perwatt run llm --model llama-3.1-8b --dtype fp8 --batch 1,8,64",
        "perwatt run llm --model llama-3.3-70b --dtype fp8 --gpus 2 --offline",
        "perwatt run llm --model llama-3.1-8b --dtype fp8 --rate 5,20",
        "perwatt run llm --model llama-3.1-8b --tpot-ms 40 --quantile 0.99",
        "perwatt run llm --model llama-3.1-8b --device gpu:0",
    )
)
@click.option(
    "--model",
    default="tiny",
    show_default=True,
    shell_complete=completion.models,
    help="Model, as in `perwatt list models`.",
)
@click.option("--dtype", help="fp32, bf16, fp16, fp8, fp4 or mxfp4. [default: fp32 on the CPU, bf16 on a GPU]")
@click.option("--input", "input_len", type=WHOLE, default=256, show_default=True, help="Length of the prompt [token].")
@click.option("--output", "output_len", type=WHOLE, default=64, show_default=True, help="Length of the answer [token].")
@click.option(
    "--batch",
    default="4",
    show_default=True,
    help="Concurrent users: a number, a list (1,8,64) or `all` (powers of 2 up to the largest batch that fits).",
)
@click.option(
    "--device",
    shell_complete=completion.devices,
    help=f"cpu or gpu:INDEX (measured), or a GPU of the catalogue (modelled). "
    f"[default: cpu for {' and '.join(ON_CPU)}, {MODELLED_DEVICE} for other models]",
)
@click.option(
    "--gpus", type=WHOLE, default=1, show_default=True, help="Number of GPUs, as tensor-parallel shards (modelled)."
)
@click.option(
    "--engine",
    help="trtllm, trtllm-2026 (from 1.2), vllm, vllm-sync (before 0.14) or sglang; -epN and -dpN: N GPUs hold whole "
    "experts, N copies of attention; -draftN-acceptX: a step tries N further tokens and keeps X; -hitP: P % of prompts "
    "cached (modelled). [default: trtllm]",
)
@click.option("--offline", is_flag=True, help="All requests wait in a queue; as many run at once as fit (modelled).")
@click.option("--ttft-ms", type=NUMBER, help="Largest load with the first token within this time [ms] (modelled).")
@click.option("--tpot-ms", type=NUMBER, help="Largest load with each further token within this time [ms] (modelled).")
@click.option("--quantile", type=NUMBER, help="Share of requests at random times within these limits (modelled).")
@click.option(
    "--rate", help="Requests a second, at random times: 5, a list (5,20), or `all`, up to the most (modelled)."
)
@click.option("--arrivals", type=click.Path(path_type=Path),
              help="Trace of arrival times, and of lengths, instead of --rate (modelled).")  # fmt: skip
@click.option("--burstiness", type=PositiveRange(1e3), default=1.0, show_default=True,
              help="Of random times: 1 is a Poisson process, less is burstier (modelled).")  # fmt: skip
@click.option(
    "--seed", type=WholeRange(0, 2**32), default=0, show_default=True, help="Seed of random times (modelled)."
)
@click.option("--cap", "cap_w", type=NUMBER, help="Power limit of each GPU [W], below the one it has (modelled).")
@click.option(
    "--measured",
    "server",
    metavar="ID",
    help="Result of `perwatt run endpoint` from a server on this device, in results/: it scales the model (modelled).",
)
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Plot tokens/s per user against tokens per joule (modelled)."
)
@click.option(
    "--threads",
    type=WHOLE,
    help="CPU threads (measured). [default: the cores that this process and its CPU quota may use]",
)
@plan_option("Measurement plan: PLANS (measured).")
@click.option(
    "--meter", "meters", multiple=True, shell_complete=completion.meters, help="Meter, as in `perwatt run` (measured)."
)
@click.option("--watts", type=NUMBER, help="Assumed power [W]; it is never reported as energy (measured).")
@store_option
@json_option
def llm(
    model: str,
    dtype: str | None,
    input_len: int,
    output_len: int,
    batch: str,
    device: str | None,
    gpus: int,
    engine: str | None,
    offline: bool,
    ttft_ms: float | None,
    tpot_ms: float | None,
    quantile: float | None,
    rate: str | None,
    arrivals: Path | None,
    burstiness: float,
    seed: int,
    cap_w: float | None,
    server: str | None,
    plot: Path | None,
    threads: int | None,
    plan: str,
    meters: tuple[str, ...],
    watts: float | None,
    store: Path,
    as_json: bool,
) -> int:
    """Measure or model the tokens per second and per joule of a language model.

    On the CPU or a GPU of this machine, the layers of the model run with random weights and are measured. A GPU of the
    catalogue is modelled, and every figure says so.
    """
    from kernels.llm.shapes import load

    shape = load(model)
    target = device or ("cpu" if shape.name in ON_CPU else MODELLED_DEVICE)
    if target == "cpu" or target.startswith("gpu"):
        _refuse_measured(target, gpus)
        request = {"model": shape.name, "input": input_len, "output": output_len}
        todo = _on_cpu(dtype, request, batch, threads) if target == "cpu" else _on_gpu(target, dtype, request, batch)
        return _measure(todo, target, plan, (meters, watts, store), as_json=as_json)
    from bench.cli.run.modelled.command import Setting, model_llm
    from bench.cli.run.modelled.loads import Loads

    loads = Loads(
        (input_len, output_len), batch, (ttft_ms, tpot_ms), quantile, rate, arrivals, burstiness, seed, offline
    )
    setting = Setting(model, dtype or "bf16", target, gpus, engine, cap_w, server, store)
    return model_llm(setting, loads, plot, chosen=device is not None, as_json=as_json)


def _refuse_measured(target: str, gpus: int) -> None:
    """Refuse the options that only a modelled device has."""
    from bench.cli.run.modelled.command import MODELLED_ONLY

    if gpus != 1:
        reason = (
            "on the CPU" if target == "cpu" else "for a measurement; only a GPU of the catalogue is modelled with more"
        )
        raise InputError.at("--gpus", expected=f"1 {reason}", got=gpus)
    for name, option in MODELLED_ONLY.items():
        if is_stated(name):
            raise InputError.at("--device", expected=f"a GPU of the catalogue for {option}", got=target)


def _on_cpu(dtype: str | None, request: dict[str, object], batch: str, threads: int | None) -> "list[Workload]":
    """Return prefill and decode for each batch."""
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create
    from kernels.llm.counts import precision

    kind = precision(dtype or "fp32").name
    if kind != "fp32":
        raise InputError.at("--dtype", expected="fp32, the only precision of the CPU replay", got=kind)
    check_machine(threads)
    return [
        create(f"llm_{phase}_f32_cpu", WorkloadOptions(threads=threads, extra={**request, "batch": size}))
        for size in batches(batch, most=None)
        for phase in PHASES
    ]


def _on_gpu(device: str, dtype: str | None, request: dict[str, object], batch: str) -> "list[Workload]":
    """Return prefill and decode for each batch, after a check that the GPU exists and has memory for them."""
    from bench.machine.devices import device_under_test
    from bench.workloads.cuda.llm_replay_cuda import LlmReplayCuda
    from bench.workloads.protocol import WorkloadOptions
    from kernels.gpu.device import inspect, parse_device
    from kernels.llm.counts import precision
    from kernels.llm.source_cuda import replay_formats

    kind = precision(dtype or "bf16").name
    replay_formats(kind)

    def made(phase: str, size: int) -> LlmReplayCuda:
        return LlmReplayCuda(f"llm_{phase}_{kind}_cuda", WorkloadOptions(device, extra={**request, "batch": size}))

    smallest = made("decode", 1)
    device_under_test(device)
    free_bytes = inspect(parse_device(device)).free_bytes
    most = None if free_bytes is None else smallest.memory_budget(free_bytes).most_sequences()
    todo = [made(phase, size) for size in batches(batch, most) for phase in PHASES]
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
    from bench.measure.plans import get_plan
    from bench.measure.runner import Job
    from bench.meters.protocol import MeterOptions

    meters, watts, store = options
    chosen = get_plan(plan)
    prepare_out(store)
    with opened(chosen, specs(meters, watts, device), MeterOptions(watts=watts)) as reading:
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
