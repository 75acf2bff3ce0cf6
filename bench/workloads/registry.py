"""The table of workloads: names, units and classes, without importing any of them."""

from dataclasses import dataclass
from importlib import import_module

from bench.workloads.protocol import Workload, WorkloadOptions
from hardware_profiles.errors import InputError, near_names


@dataclass(frozen=True, slots=True)
class Entry:
    """One workload."""

    name: str
    device_kind: str  # `cpu`, `gpu` or `asic`
    unit: str
    summary: str
    class_path: str  # `module:class`, created from its name and WorkloadOptions
    main_job: bool = False  # whether `perwatt run` without arguments measures it


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "sha256d_scan_cpu", "cpu", "hash", "nonce scan: double SHA-256 of 80-byte block headers",
        "bench.workloads.cpu.sha256d_scan_cpu:Sha256dScanCpu", main_job=True,
    ),
    *(
        Entry(
            f"sha256d_scan_vr{midstates}_cpu", "cpu", "hash",
            f"nonce scan of {midstates} header versions, which share a message schedule",
            "bench.workloads.cpu.sha256d_scan_versions_cpu:Sha256dScanVersionsCpu",
        )
        for midstates in (2, 4, 8)
    ),
    Entry(
        "matmul_f32_cpu", "cpu", "flop", "square matrix product, float32, through BLAS",
        "bench.workloads.cpu.matmul_cpu:MatmulCpu", main_job=True,
    ),
    Entry(
        "matmul_f64_cpu", "cpu", "flop", "square matrix product, float64, through BLAS",
        "bench.workloads.cpu.matmul_cpu:MatmulCpu", main_job=True,
    ),
    Entry(
        "memory_copy_cpu", "cpu", "byte", "copy between arrays far larger than the caches",
        "bench.workloads.cpu.memory_cpu:MemoryCpu", main_job=True,
    ),
    Entry(
        "memory_triad_cpu", "cpu", "byte", "a = b + s*c over arrays far larger than the caches",
        "bench.workloads.cpu.memory_cpu:MemoryCpu", main_job=True,
    ),
    *(
        Entry(
            f"llm_{phase}_f32_cpu", "cpu", "token", f"a language model's layers, {action}; `perwatt run llm`",
            "bench.workloads.cpu.llm_replay_cpu:LlmReplayCpu", main_job=True,
        )
        for phase, action in (("prefill", "reading prompts"), ("decode", "one token after the other"))
    ),
    Entry(
        "sha256d_scan_asic", "asic", "hash", "an ASIC miner's own scan, verified by shares; `perwatt run asic`",
        "bench.workloads.asic.sha256d_scan_asic:Sha256dScanAsic",
    ),
    Entry(
        "sha256d_scan_cuda", "gpu", "hash", "nonce scan on an NVIDIA GPU",
        "bench.workloads.cuda.sha256d_scan_cuda:Sha256dScanCuda",
    ),
    *(
        Entry(
            f"sha256d_scan_vr{midstates}_cuda", "gpu", "hash",
            f"nonce scan of {midstates} header versions, which share a message schedule, on an NVIDIA GPU",
            "bench.workloads.cuda.sha256d_scan_versions_cuda:Sha256dScanVersionsCuda",
        )
        for midstates in (2, 4, 8)
    ),
    *(
        Entry(
            f"matmul_{dtype}_nt_cuda", "gpu", "flop", f"matrix product on an NVIDIA GPU, {dtype}, through cuBLASLt",
            "bench.workloads.cuda.matmul_cuda:MatmulCuda",
        )
        for dtype in ("fp32", "tf32", "fp16", "bf16", "int8", "fp8", "fp4")
    ),
    *(
        Entry(
            f"llm_{phase}_{dtype}_cuda", "gpu", "token", f"a language model's layers on a GPU, {dtype}, {action}",
            "bench.workloads.cuda.llm_replay_cuda:LlmReplayCuda",
        )
        for dtype in ("bf16", "fp16", "fp8")
        for phase, action in (("prefill", "reading prompts"), ("decode", "one token after the other"))
    ),
    *(
        Entry(
            f"memory_{operation}_cuda", "gpu", "byte", f"{operation} over GPU arrays far larger than the caches",
            "bench.workloads.cuda.memory_cuda:MemoryCuda",
        )
        for operation in ("copy", "triad", "read")
    ),
    *(
        Entry(
            f"probe_{kind}_cuda", "gpu", "instruction", f"rate of one integer instruction: {kind}",
            "bench.workloads.cuda.probe_cuda:ProbeCuda",
        )
        for kind in ("iadd3", "lop3", "shf", "lea_hi", "imad", "imad_hi", "mixed", "mixed_long")
    ),
)  # fmt: skip
BY_NAME = {entry.name: entry for entry in ENTRIES}


def entry(name: str) -> Entry:
    """Return the row of a workload.

    Raises
    ------
    InputError
        The name is unknown; the message lists similar names.
    """
    if name not in BY_NAME:
        near = near_names(name, BY_NAME)
        expected = "a known workload" if near else f"one of {', '.join(BY_NAME)}"
        raise InputError.at("workload", expected=expected, got=name, near=near)
    return BY_NAME[name]


def create(name: str, options: WorkloadOptions) -> Workload:
    """Return a workload that is not yet prepared.

    Raises
    ------
    InputError
        The name is unknown, or the workload does not run on the device.
    """
    row = entry(name)
    if row.device_kind == "asic":
        raise InputError.at("workload", expected="`perwatt run asic`, which has the options of a miner", got=name)
    kind = options.device.partition(":")[0]
    if kind != row.device_kind:
        raise InputError.at(f"workload {name}", "--device", expected=row.device_kind, got=options.device)
    module, _, attribute = row.class_path.partition(":")
    workload: Workload = getattr(import_module(module), attribute)(name, options)
    return workload
