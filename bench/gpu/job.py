"""The job that measures a whole GPU in one call: its steps, their order, which are metered, and a time budget."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.workloads.roofline import Bound, Roofline, probed_rates

if TYPE_CHECKING:
    from bench.measure.plans import Plan
    from bench.measure.runner import Job, Progress
    from bench.measure.scan_choice import ScanChoice
    from bench.meters.protocol import Meter, MeterInfo
    from bench.results.record import Device, Record
    from bench.workloads.protocol import WorkloadOptions

BUDGET_S = 460.0  # [s] later steps are skipped and listed, so that the call ends within eight minutes

MODEL = "llama-3.1-8b"
PREFILL_TOKENS, DECODE_TOKENS = 4096, 64
PROBES = ("iadd3", "lop3", "shf", "lea_hi", "imad", "imad_hi", "mixed", "mixed_long")


@dataclass(frozen=True, slots=True)
class Step:
    """One workload of the job.

    A probe uses the plan `smoke` where the others use `quick`, because the chip's own clock counter times it.
    """

    workload: str
    variant: str | None = None  # None is the workload's own choice
    extra: Mapping[str, object] = field(default_factory=dict)  # options of the workload
    metered: bool = False
    label: str = ""  # its purpose, for people
    baselines: tuple[str, ...] = ()  # variants whose windows alternate with its own, so that both are equally warm
    choose: bool = False  # whether the scan of four versions takes its place where it is faster

    @property
    def variants(self) -> tuple[str | None, ...]:
        """The variants that are measured in turn."""
        return (self.variant, *self.baselines)


@dataclass(slots=True)
class Outcome:
    """The results of a job."""

    records: "list[Record]" = field(default_factory=list)
    labels: list[str] = field(default_factory=list)  # one per record
    skipped: list[tuple[str, str]] = field(default_factory=list)  # steps, and why they were skipped
    scan_choice: "ScanChoice | None" = None  # which scan was metered

    def add(self, records: "Sequence[Record]", label: str) -> None:
        """Add the records of a step."""
        self.records += records
        self.labels += [label] * len(records)


def steps(architecture: str, *, brain_float_baseline: bool = False) -> Iterator[Step]:
    """Yield the steps for a chip (`sm_90`) in order of importance: probes, the four headlines, then the rest."""
    from kernels.matmul.formats import FORMATS

    capability = _capability(architecture)
    supported = [name for name, form in FORMATS.items() if capability is None or capability >= form.oldest]
    for probe in PROBES:
        yield Step(f"probe_{probe}_cuda", label="probe")
    yield Step("sha256d_scan_cuda", metered=True, label="best variant", choose=True)
    for name in ("bf16", "fp8"):
        if name in supported:
            yield Step(f"matmul_{name}_nt_cuda", metered=True, label="8192³")
    yield Step("memory_copy_cuda", metered=True)
    for variant in ("plain", "numba"):
        yield Step("sha256d_scan_cuda", variant)
    baselines = {"fp16": ("cupy", "numba"), "fp32": ("cupy", "numba"), "tf32": ("cupy",)}
    if brain_float_baseline:
        baselines["bf16"] = ("cupy",)
    for name in supported:
        if name not in {"bf16", "fp8"} or name in baselines:
            yield Step(f"matmul_{name}_nt_cuda", label="8192³", baselines=baselines.get(name, ()))
    yield from (Step("memory_triad_cuda"), Step("memory_read_cuda"))
    yield from _shapes([name for name in ("bf16", "fp8") if name in supported])


def _shapes(formats: Sequence[str]) -> Iterator[Step]:
    """Yield the sweep of square products and the products of a real decoder layer, prefill and decode."""
    for name in formats:
        for size in (16384, 4096, 2048) if name == formats[0] else (16384,):
            yield Step(f"matmul_{name}_nt_cuda", extra={"m": size, "n": size, "k": size}, label=f"{size}³")
    for tokens, phase, used in ((PREFILL_TOKENS, "prefill", formats), (DECODE_TOKENS, "decode", formats[:1])):
        for name in used:
            products = decoder_products(MODEL)
            for layer, n, k in products if name == formats[0] else products[2:]:  # fp8: the two large ones
                label = f"{MODEL} {layer}, {phase} of {tokens}"
                yield Step(f"matmul_{name}_nt_cuda", extra={"m": tokens, "n": n, "k": k}, label=label)


def estimated_s(step: Step, plan: "Plan", meters: "Sequence[MeterInfo]" = ()) -> float:
    """Return an estimate of the time that a step takes [s]: the times of its plan, and its preparation.

    Preparation is a guess: 9 s for the scan through Numba, 4 s for other kernels through Numba, and 1.5 s for the rest.
    The choice of the scan takes 8 s for the plain one with its first compilations, 5 s for that of four versions, 1.6 s
    for the comparison and 3 s for the windows of the slower one.
    """
    from bench.measure.plans import PLANS, schedule

    if step.workload.startswith("probe_"):
        return schedule(PLANS["smoke"]).total_s + 1.0
    windows_s = schedule(plan, meters if step.metered else ()).total_s
    scan = step.workload == "sha256d_scan_cuda"
    prepare_s = sum(
        (9.0 if scan else 4.0) if variant == "numba" else 17.6 if step.choose else 1.5 for variant in step.variants
    )
    return len(step.variants) * windows_s + prepare_s


def decoder_products(model: str) -> list[tuple[str, int, int]]:
    """Return the matrix products of one decoder layer: name, number of outputs n, number of inputs k."""
    from kernels.llm.shapes import load

    shape = load(model)
    return [
        ("qkv", shape.query_width + 2 * shape.kv_width, shape.hidden),
        ("attention out", shape.hidden, shape.query_width),
        ("gate and up", 2 * shape.ffn, shape.hidden),
        ("down", shape.hidden, shape.ffn),
    ]


@dataclass(frozen=True, slots=True)
class GpuRun:
    """The data that all steps of a job share."""

    job: "Job"
    device: "Device"
    device_name: str  # `gpu:<index>`
    meters: "Sequence[Meter]" = ()  # they read the metered steps only
    budget_s: float = BUDGET_S  # [s]


def run_steps(todo: Sequence[Step], run: GpuRun, on_step: "Callable[[Step], Progress]") -> Outcome:
    """Measure the steps one after the other and return their results.

    The bound of the scans uses the rates that the probes measured. A scan variant that the calibrated first scan
    already chose is not repeated.

    Raises
    ------
    RunFailedError
        A record could not be written.
    """
    from bench.measure.plans import PLANS
    from bench.measure.runner import measure_together
    from bench.workloads.protocol import WorkloadOptions
    from bench.workloads.registry import create

    outcome = Outcome()
    per_clock: dict[str, float] = {}
    start = time.monotonic()
    for step in todo:
        name = " ".join(part for part in (step.workload, step.variant or "", step.label) if part)
        if time.monotonic() - start > run.budget_s:
            outcome.skipped.append((name, f"past the budget of {run.budget_s:.0f} s"))
            continue
        if step.workload == "sha256d_scan_cuda" and step.variant in _variants_done(outcome.records):
            continue
        extra = {**step.extra, "pipe_rates": probed_rates(per_clock)}
        if step.choose:
            options = WorkloadOptions(run.device_name, step.variant, extra=extra)
            _measure_chosen(step, options, run, outcome, on_step(step))
            continue
        workloads = [
            create(step.workload, WorkloadOptions(run.device_name, variant, extra=extra)) for variant in step.variants
        ]
        meters = run.meters if step.metered else ()
        job = replace(run.job, plan=PLANS["smoke"]) if step.workload.startswith("probe_") else run.job
        records = measure_together(workloads, job, meters, device=run.device, on_progress=on_step(step))
        per_clock |= _probed(records)
        outcome.add(records, step.label)
    return outcome


def _measure_chosen(
    step: Step, options: "WorkloadOptions", run: GpuRun, outcome: Outcome, on_progress: "Progress"
) -> None:
    """Meter the faster of the plain scan and that of four versions, and measure the rate of the other."""
    from bench.measure.runner import measure
    from bench.measure.scan_choice import choose_gpu_scan

    choice = outcome.scan_choice = choose_gpu_scan(options)
    try:
        outcome.add(
            [measure(choice.chosen, run.job, run.meters, device=run.device, on_progress=on_progress)], step.label
        )
        if choice.other is not None:
            other = measure(choice.other, run.job, device=run.device, on_progress=on_progress)
            outcome.add([other], f"{step.label}, the other scan")
    finally:
        if choice.other is not None:
            choice.other.close()


def _probed(records: "Sequence[Record]") -> dict[str, float]:
    """Return the rates per clock that the probes among the records measured, by instruction."""
    rates = {}
    for record in records:
        rate = record.workload.parameters.get("per_clock_per_multiprocessor")
        if record.workload.name.startswith("probe_") and isinstance(rate, float):
            rates[str(record.workload.parameters["instruction"])] = rate
    return rates


def _variants_done(records: "Sequence[Record]") -> set[str]:
    return {record.workload.variant for record in records if record.workload.name == "sha256d_scan_cuda"}


def _capability(architecture: str) -> tuple[int, int] | None:
    digits = architecture.removeprefix("sm_")
    return (int(digits[:-1]), int(digits[-1])) if digits.isdigit() and len(digits) >= 2 else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """One comparison within a job."""

    name: str  # the two rates that are compared
    ratio: float  # [-]


def ratios(records: "Sequence[Record]") -> list[Ratio]:
    """Return a job's comparisons: measured over predicted scan, cuBLASLt over CuPy and over the readable kernel."""
    comparisons = []
    scans = [record for record in records if record.workload.name.startswith("sha256d_scan") and record.status == "ok"]
    best = max(
        (scan for scan in scans if scan.rate), key=lambda scan: scan.rate.value if scan.rate else 0.0, default=None
    )
    if best is not None and "fraction_of_bound" in best.metrics:
        name = f"{best.workload.name} {best.workload.variant}, measured over the model's prediction from the probes"
        fraction = best.metrics["fraction_of_bound"].value
        comparisons.append(Ratio(name, fraction))
        clock_frac = _clock_frac(best)
        if clock_frac is not None:
            comparisons.append(Ratio(f"{name}, at the mean clock of its windows", fraction / clock_frac))
    rates: dict[tuple[str, tuple[object, ...]], dict[str, float]] = {}
    for record in records:
        if record.workload.name.startswith("matmul_") and record.rate is not None and record.status == "ok":
            shape = tuple(record.workload.parameters.get(key) for key in ("m", "n", "k"))
            rates.setdefault((record.workload.name, shape), {})[record.workload.variant] = record.rate.value
    for (name, _), by_variant in rates.items():
        for other, words in (("cupy", "cuBLASLt over CuPy's matmul"), ("numba", "cuBLASLt over the readable kernel")):
            if "cublaslt" in by_variant and other in by_variant:
                comparisons.append(Ratio(f"{name}, {words}", by_variant["cublaslt"] / by_variant[other]))
    return comparisons


def _clock_frac(record: "Record") -> float | None:
    """Return the mean clock of a record's windows over the highest clock, which its bound assumes [-]."""
    audited = record.audit.get("gpu")
    mean_mhz = audited.get("mean_sm_clock_mhz") if isinstance(audited, dict) else None
    highest_hz = record.workload.parameters.get("max_sm_clock_hz")
    if not isinstance(mean_mhz, int | float) or not isinstance(highest_hz, int | float) or not mean_mhz * highest_hz:
        return None
    return mean_mhz * 1e6 / highest_hz


def measured_fractions(records: "Sequence[Record]") -> list[float | None]:
    """Return each record's rate over the bound from the job's own best products and bandwidth [-], None without one."""
    from bench.workloads.roofline import measured_roofline

    ceilings = measured_roofline(records)
    fractions: list[float | None] = []
    for record in records:
        bound = None
        if ceilings is not None and record.rate is not None and record.status == "ok":
            if record.workload.name.startswith("memory_"):
                bound = ceilings.memory_bound()
            elif record.workload.name.startswith("matmul_"):
                bound = _product_bound(record, ceilings)
        fractions.append(record.rate.value / bound.rate_per_s if bound and record.rate else None)
    return fractions


def _product_bound(record: "Record", ceilings: Roofline) -> Bound | None:
    from kernels.matmul.counts import flop, moved_bytes
    from kernels.matmul.formats import get_format

    parameters = record.workload.parameters
    m, n, k = (int(str(parameters[key])) for key in ("m", "n", "k"))
    form = get_format(str(parameters["dtype"]))
    return ceilings.bound(form.name, float(flop(m, n, k)), moved_bytes(form, m, n, k))
