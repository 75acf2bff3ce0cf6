"""Upper bounds of a device's rate: rooflines from profiles and measured ceilings, SHA-256d from instruction counts.

References
----------
S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model", CACM 52 (2009).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.results.record import Record
    from hardware_profiles.profile import Profile
    from hardware_profiles.provenance import Basis


@dataclass(frozen=True, slots=True)
class Bound:
    """The highest rate of a workload on a device."""

    rate_per_s: float  # [unit/s]
    basis: "Basis"  # `rated` (a profile's peaks), `measured` (ceilings) or `modelled` (counts and assumed rates)
    why: str  # for people: the limit, and the figures behind it
    bound_by: str = ""  # the limit: a class of instructions, a pipe, a peak, a bandwidth
    cycles_per_unit: float | None = None  # [cycle] of one core, where the bound was measured in cycles


@dataclass(frozen=True, slots=True)
class Roofline:
    """The ceilings of one device: arithmetic and memory."""

    device: str
    basis: "Basis"
    peaks_flop_per_s: Mapping[str, float]  # [FLOP/s] dense peak by dtype
    bandwidth_byte_per_s: float | None  # [byte/s] of the memory, or None if unknown

    def bound(self, dtype: str, work_flop: float, moved_bytes: float) -> Bound | None:
        """Return the bound of work with `work_flop` and `moved_bytes`, or None without a peak for the dtype."""
        peak = self.peaks_flop_per_s.get(dtype)
        if not peak:
            return None
        times = {f"{dtype} peak {peak / 1e12:.4g} TFLOP/s": work_flop / peak}
        if self.bandwidth_byte_per_s:
            times[f"bandwidth {self.bandwidth_byte_per_s / 1e12:.3g} TB/s"] = moved_bytes / self.bandwidth_byte_per_s
        limit = max(times, key=lambda name: times[name])
        name = f"{dtype} peak" if limit.startswith(dtype) else "bandwidth"
        return Bound(work_flop / times[limit], self.basis, f"{self.device}: {limit} ({self.basis})", name)

    def memory_bound(self) -> Bound | None:
        """Return the bound of moving bytes, or None without a bandwidth."""
        if not self.bandwidth_byte_per_s:
            return None
        rate = self.bandwidth_byte_per_s
        why = f"{self.device}: bandwidth {rate / 1e12:.3g} TB/s ({self.basis})"
        return Bound(rate, self.basis, why, "bandwidth")


def rated_roofline(profile: "Profile") -> Roofline:
    """Return the roofline of a profile's dense peaks and bandwidth."""
    peaks = {name: value for name, value in profile.peaks_flop_per_s.items() if value}
    return Roofline(profile.title, "rated", peaks, profile.bandwidth_byte_per_s)


def measured_roofline(records: "Iterable[Record]") -> Roofline | None:
    """Return the roofline of the best products and the best copy or read among the records, or None without any."""
    peaks: dict[str, float] = {}
    bandwidth: float | None = None
    device = ""
    for record in records:
        if record.status != "ok" or record.rate is None:
            continue
        operation, _, rest = record.workload.name.partition("_")
        if operation == "matmul":
            dtype = rest.partition("_")[0]
            peaks[dtype] = max(peaks.get(dtype, 0.0), record.rate.value)
        elif operation == "memory":
            bandwidth = max(bandwidth or 0.0, record.rate.value)
        else:
            continue
        device = record.device.name
    return Roofline(device, "measured", peaks, bandwidth) if device else None


# Results per clock and SM on chips with a separate pipe for integer work (sm_80 to sm_90), used until probed: of the
# ALU pipe and the FMA pipe, of loads and stores and of the special-function units, and instructions issued. Reference:
# CUDA C++ Programming Guide, "Arithmetic Instructions". Assumptions: half rate for the high half of a product; a
# uniform instruction, one for a whole warp, takes the time of 32 results of the ALU pipe.
ASSUMED_RATES = {
    "alu": 64.0, "lea": 64.0, "fma": 64.0, "fma_high": 32.0, "memory": 32.0, "uniform": 64.0, "special": 16.0,
    "issue": 128.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScanCount:
    """The instructions of one hash in the scan's loop."""

    alu: float  # on the ALU pipe
    fma: float  # multiplies
    fma_high: float  # multiplies that return the high half
    total: float  # all instructions
    lea: float = 0  # those on the ALU pipe that rotate and add at once, probed separately
    memory: float = 0  # loads, stores and atomics
    uniform: float = 0  # on the pipe that works once for a warp
    special: float = 0  # on the special-function units


# Counted by tests/oracles/cuda_sass.py with the NVRTC that constraints.txt pins; a test repeats the count. On sm_100
# and sm_120 the pipes are shared, so no bound is stated.
SCAN_COUNTS: dict[tuple[str, str], ScanCount] = {
    ("plain", "sm_80"): ScanCount(2275, 187, 1, 2477, 1, 2, 0, 7),
    ("plain", "sm_89"): ScanCount(2275, 187, 1, 2477, 1, 2, 0, 7),
    ("plain", "sm_90"): ScanCount(2274, 184, 1, 2475, 1, 5, 0, 7),
    ("imad", "sm_80"): ScanCount(1812, 1059, 1, 2886, 0, 2, 0, 7),
    ("imad", "sm_89"): ScanCount(1812, 1059, 1, 2886, 0, 2, 0, 7),
    ("imad", "sm_90"): ScanCount(1811, 1047, 1, 2876, 0, 6, 0, 7),
    ("imad_shift", "sm_80"): ScanCount(1656, 1059, 157, 2886, 0, 2, 0, 7),
    ("imad_shift", "sm_89"): ScanCount(1656, 1059, 157, 2886, 0, 2, 0, 7),
    ("imad_shift", "sm_90"): ScanCount(1655, 1047, 157, 2876, 0, 6, 0, 7),
    ("imad_rotate", "sm_80"): ScanCount(1584, 1131, 229, 2958, 0, 2, 0, 7),
    ("imad_rotate", "sm_89"): ScanCount(1584, 1131, 229, 2958, 0, 2, 0, 7),
    ("imad_rotate", "sm_90"): ScanCount(1583, 1119, 229, 2948, 0, 6, 0, 7),
    ("imad_lea", "sm_80"): ScanCount(1656, 826, 157, 2653, 233, 2, 0, 7),
    ("imad_lea", "sm_89"): ScanCount(1656, 826, 157, 2653, 233, 2, 0, 7),
    ("imad_lea", "sm_90"): ScanCount(1655, 814, 157, 2643, 233, 6, 0, 7),
    ("imad_lea_rotate", "sm_80"): ScanCount(1526, 953, 287, 2780, 236, 2, 0, 7),
    ("imad_lea_rotate", "sm_89"): ScanCount(1526, 953, 287, 2780, 236, 2, 0, 7),
    ("imad_lea_rotate", "sm_90"): ScanCount(1525, 941, 287, 2770, 236, 6, 0, 7),
    ("imad_lea_rotate2", "sm_80"): ScanCount(1434, 1045, 379, 2872, 236, 2, 0, 7),
    ("imad_lea_rotate2", "sm_89"): ScanCount(1434, 1045, 379, 2872, 236, 2, 0, 7),
    ("imad_lea_rotate2", "sm_90"): ScanCount(1433, 1033, 379, 2862, 236, 6, 0, 7),
}

# Likewise of the scan of several versions: of one hash, and of the message schedule that the hashes of a nonce share.
ROLLED_SCAN_COUNTS: dict[tuple[str, str], tuple[ScanCount, ScanCount]] = {
    ("plain", "sm_80"): (ScanCount(1877, 207, 1, 2109, 0, 12, 0, 7), ScanCount(392, 36, 0, 431)),
    ("plain", "sm_89"): (ScanCount(1877, 207, 1, 2109, 0, 12, 0, 7), ScanCount(392, 36, 0, 431)),
    ("plain", "sm_90"): (ScanCount(1876, 204, 1, 2106, 0, 14, 0, 7), ScanCount(392, 36, 0, 434, 0, 0, 4)),
    ("imad_rotate", "sm_80"): (ScanCount(1342, 981, 167, 2514, 0, 12, 0, 7), ScanCount(231, 159, 76, 469)),
    ("imad_rotate", "sm_89"): (ScanCount(1342, 981, 167, 2514, 0, 12, 0, 7), ScanCount(231, 159, 76, 469)),
    ("imad_rotate", "sm_90"): (ScanCount(1341, 977, 167, 2510, 0, 14, 0, 7), ScanCount(231, 157, 76, 474, 0, 2, 6)),
    ("imad_lea", "sm_80"): (ScanCount(1428, 660, 81, 2193, 235, 12, 0, 7), ScanCount(231, 159, 76, 469)),
    ("imad_lea", "sm_89"): (ScanCount(1428, 660, 81, 2193, 235, 12, 0, 7), ScanCount(231, 159, 76, 469)),
    ("imad_lea", "sm_90"): (ScanCount(1427, 656, 81, 2189, 235, 14, 0, 7), ScanCount(231, 157, 76, 474, 0, 2, 6)),
    ("imad_lea_rotate", "sm_80"): (ScanCount(1283, 805, 226, 2338, 235, 12, 0, 7), ScanCount(231, 159, 76, 469)),
    ("imad_lea_rotate", "sm_89"): (ScanCount(1283, 805, 226, 2338, 235, 12, 0, 7), ScanCount(231, 159, 76, 469)),
    ("imad_lea_rotate", "sm_90"): (
        ScanCount(1282, 801, 226, 2334, 235, 14, 0, 7),
        ScanCount(231, 157, 76, 475, 0, 2, 7),
    ),
    ("imad_lea_rotate2", "sm_80"): (ScanCount(1202, 886, 318, 2430, 237, 12, 0, 7), ScanCount(234, 156, 76, 469)),
    ("imad_lea_rotate2", "sm_89"): (ScanCount(1202, 886, 318, 2430, 237, 12, 0, 7), ScanCount(234, 156, 76, 469)),
    ("imad_lea_rotate2", "sm_90"): (
        ScanCount(1197, 886, 318, 2426, 237, 14, 0, 7),
        ScanCount(232, 156, 76, 475, 0, 2, 7),
    ),
}


def rolled_scan_count(variant: str, architecture: str, midstates: int) -> ScanCount | None:
    """Return the instructions of one hash if several midstates share a message schedule, or None without counts."""
    counts = ROLLED_SCAN_COUNTS.get((variant, architecture))
    if counts is None:
        return None
    each, shared = (astuple(count) for count in counts)
    return ScanCount(*(own + part / midstates for own, part in zip(each, shared, strict=True)))


def scan_clocks(count: ScanCount, rates: Mapping[str, float] = ASSUMED_RATES) -> dict[str, float]:
    """Return the clocks of one hash on each pipe of an SM; the slowest pipe is the bound.

    Parameters
    ----------
    count
        Instructions of one hash.
    rates
        Results per clock and SM by the keys of ASSUMED_RATES; a missing one is assumed.
    """
    known = {**ASSUMED_RATES, **rates}
    return {
        "ALU pipe": (count.alu - count.lea) / known["alu"] + count.lea / known["lea"],
        "FMA pipe": count.fma / known["fma"] + count.fma_high / known["fma_high"],
        "load and store pipe": count.memory / known["memory"],
        "uniform pipe": count.uniform / known["uniform"],
        "special-function pipe": count.special / known["special"],
        "issue": count.total / known["issue"],
    }


def scan_bound(
    count: ScanCount, multiprocessors: int, clock_hz: float, rates: Mapping[str, float] | None = None
) -> Bound:
    """Return the bound of the SHA-256d scan [hash/s] from instruction counts, clock and rates per pipe."""
    clocks = scan_clocks(count, rates or {})
    limit = max(clocks, key=lambda name: clocks[name])
    rate = multiprocessors * clock_hz / clocks[limit]
    source = "probed rates" if rates else "assumed rates"
    at = f"{multiprocessors} SMs at {clock_hz / 1e9:.3f} GHz"
    others = ", ".join(f"{name} {clock:.2f}" for name, clock in sorted(clocks.items(), key=lambda item: -item[1])[1:4])
    why = f"{limit}: {clocks[limit]:.2f} clocks per hash and SM ({source}; {others}), {at}"
    return Bound(rate, "modelled", why, limit)


def probed_rates(per_clock: Mapping[str, float]) -> dict[str, float]:
    """Return rates by pipe from rates by probe (kernels/scan_cuda/probes.py); the slowest of the ALU's three counts."""
    rates: dict[str, float] = {}
    alu = [per_clock[name] for name in ("iadd3", "lop3", "shf") if name in per_clock]
    if alu:
        rates["alu"] = min(alu)
    for name, pipe in (("imad", "fma"), ("imad_hi", "fma_high"), ("lea_hi", "lea")):
        if name in per_clock:
            rates[pipe] = per_clock[name]
    if "mixed" in per_clock:
        rates["issue"] = max(per_clock["mixed"], ASSUMED_RATES["issue"])
    return {pipe: rate for pipe, rate in rates.items() if math.isfinite(rate) and rate > 0}
