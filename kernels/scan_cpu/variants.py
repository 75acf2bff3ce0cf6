"""The variants of the nonce scan, the CPU features that each needs, and whether it can run on this CPU."""

import os
import platform
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from kernels.errors import KernelInputError

if TYPE_CHECKING:
    from kernels.scan_cpu.native_scan import CompiledScan


@dataclass(frozen=True)
class Variant:
    """A way to compile the scan."""

    name: str  # on the command line, in results and of the module
    summary: str
    machine: str  # x86_64, aarch64, or empty for any
    features: frozenset[str]  # CPU features that it needs, by LLVM's names

    @property
    def module_name(self) -> str:
        """Full name of the module with the compiled scan."""
        return f"kernels.scan_cpu.compiled.{self.name}"


# In order of preference: without a calibration the first one that can run is the default.
VARIANTS = (
    Variant("lanes16", "16 lanes of AVX-512 with three-way logic", "x86_64", frozenset({"avx512f"})),
    Variant(
        "mixed",
        "vectors hash two batches of 16 while SHA instructions hash a third",
        "x86_64",
        frozenset({"avx512f", "sha", "sse4.1"}),
    ),
    Variant(
        "hybrid",
        "8-lane schedules feeding SHA instructions, 7 chains in flight",
        "x86_64",
        frozenset({"avx512f", "avx512vl", "sha", "sse4.1"}),
    ),
    Variant("shani", "4 nonces in flight on x86's SHA instructions", "x86_64", frozenset({"sha", "sse4.1"})),
    Variant("neon_sha2", "4 nonces in flight on Arm's SHA instructions", "aarch64", frozenset({"sha2"})),
    Variant("lanes8", "8 lanes of AVX2", "x86_64", frozenset({"avx2"})),
    Variant("scalar", "one nonce at a time, any CPU", "", frozenset()),
)
BY_NAME = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True)
class Availability:
    """Whether a variant can run on this CPU."""

    variant: Variant
    available: bool
    reason: str  # why not; empty if it can


def _machine() -> str:
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())


@cache
def host_features() -> frozenset[str]:
    """Return the features of this CPU by LLVM's names."""
    from llvmlite import binding

    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot read the features on this platform
        return frozenset()
    return frozenset(name for name, present in features.items() if present)


def compiled_features() -> frozenset[str]:
    """Return the features that Numba compiles for: those of this CPU unless Numba's environment variables mask some.

    References
    ----------
    Numba reference manual, "Environment variables": NUMBA_CPU_NAME, NUMBA_CPU_FEATURES, NUMBA_ENABLE_AVX.
    """
    name = os.environ.get("NUMBA_CPU_NAME")
    selected = os.environ.get("NUMBA_CPU_FEATURES")
    if selected is None and name == "generic":
        selected = ""
    if selected is not None:
        features = frozenset(item[1:] for item in selected.replace(" ", "").split(",") if item.startswith("+"))
    else:
        features = host_features()
    if os.environ.get("NUMBA_ENABLE_AVX") == "0":
        features = frozenset(feature for feature in features if not feature.startswith("avx"))
    return features


def availability(name: str) -> Availability:
    """Return whether a variant can run on this CPU and the reason if it cannot.

    Raises
    ------
    KernelInputError
        No variant has this name.
    """
    variant = find(name)
    machine = _machine()
    if variant.machine not in ("", machine):
        return Availability(variant, False, f"needs {variant.machine}, this CPU is {machine}")
    if missing := sorted(variant.features - host_features()):
        return Availability(variant, False, f"this CPU lacks {', '.join(missing)}")
    if missing := sorted(variant.features - compiled_features()):
        variables = "NUMBA_CPU_NAME, NUMBA_CPU_FEATURES or NUMBA_ENABLE_AVX"
        return Availability(variant, False, f"{variables} masks {', '.join(missing)}")
    return Availability(variant, True, "")


def find(name: str) -> Variant:
    """Return the variant of this name.

    Raises
    ------
    KernelInputError
        No variant has this name; near names are listed.
    """
    if name in BY_NAME:
        return BY_NAME[name]
    near = get_close_matches(name, BY_NAME, n=2)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise KernelInputError(f"variant: expected one of {', '.join(BY_NAME)}, got {name!r}{hint}")


def all_variants() -> list[Availability]:
    """Return the availability of every variant, in order of preference."""
    return [availability(variant.name) for variant in VARIANTS]


def candidates() -> list[Variant]:
    """Return the variants that can run on this CPU, in order of preference."""
    return [entry.variant for entry in all_variants() if entry.available]


def default_variant() -> Variant:
    """Return the first candidate; only a timing can tell which variant is the fastest."""
    return candidates()[0]


def load_rolling(name: str, midstates: int) -> "CompiledScan":
    """Return the compiled scan of a variant with 2, 4 or 8 midstates that share a message schedule.

    Raises
    ------
    KernelInputError
        The variant is unknown or cannot run here.
    """
    from kernels.scan_cpu.native_scan import load_scan

    check_available(name)
    return load_scan(f"kernels.scan_cpu.version_rolling.{name}", midstates)


def load(name: str) -> "CompiledScan":
    """Return the compiled scan of a variant.

    Raises
    ------
    KernelInputError
        The variant is unknown or cannot run here.
    """
    from kernels.scan_cpu.native_scan import load_scan

    check_available(name)
    return load_scan(find(name).module_name)


def check_available(name: str) -> None:
    """Check that a variant runs on this CPU.

    Raises
    ------
    KernelInputError
        The variant is unknown or cannot run here.
    """
    entry = availability(name)
    if not entry.available:
        raise KernelInputError(f"variant {name}: not available here: {entry.reason}")
