"""Environment variables: those that a record keeps, and those of other programs that would stop ours."""

import os
import re
from collections.abc import Mapping, MutableMapping

from bench.credentials import scrub_text

# Those that move a figure. Any other may hold a password or a path of the user, and is not stored.
RECORDED = frozenset({
    "BLIS_NUM_THREADS",
    "CUBLAS_WORKSPACE_CONFIG", "CUDA_DEVICE_MAX_CONNECTIONS", "CUDA_DEVICE_ORDER", "CUDA_DISABLE_PTX_JIT",
    "CUDA_FORCE_PTX_JIT", "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",
    "CUDA_VISIBLE_DEVICES",
    "GLIBC_TUNABLES", "GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT",
    "KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_HW_SUBSET",
    "MKL_CBWR", "MKL_DEBUG_CPU_TYPE", "MKL_DYNAMIC", "MKL_ENABLE_INSTRUCTIONS", "MKL_NUM_THREADS",
    "MKL_THREADING_LAYER",
    "NUMBA_BOUNDSCHECK", "NUMBA_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_CUDA_FASTMATH", "NUMBA_DISABLE_INTEL_SVML",
    "NUMBA_DISABLE_JIT", "NUMBA_ENABLE_AVX", "NUMBA_ENABLE_CUDASIM", "NUMBA_LOOP_VECTORIZE", "NUMBA_NUM_THREADS",
    "NUMBA_OPT", "NUMBA_SLP_VECTORIZE", "NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_DYNAMIC", "OMP_MAX_ACTIVE_LEVELS", "OMP_NESTED", "OMP_NUM_THREADS", "OMP_PLACES", "OMP_PROC_BIND",
    "OMP_SCHEDULE", "OMP_STACKSIZE", "OMP_THREAD_LIMIT", "OMP_WAIT_POLICY",
    "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS",
    "PERWATT_ROUND_S",
})  # fmt: skip
SUPERSEDES = "PERWATT_SUPERSEDES"
"""Variable by which a lab run tells `perwatt run` the result that a second attempt replaces."""
_LONGEST = 200
_LARGEST_TERMINAL = 10_000  # cells


def recorded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a record keeps, each value without credentials."""
    return {name: scrub_text(environment[name])[:_LONGEST] for name in sorted(RECORDED & environment.keys())}


def superseded() -> str | None:
    """Return the id of the result that this run replaces, or None."""
    name = os.environ.get(SUPERSEDES, "")
    return name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", name) else None


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Change the variables of other programs that would stop ours, before a library reads them.

    Jupyter's backend of matplotlib cannot draw our pages. Python packages read the number of OpenMP threads as one
    number, but OpenMP allows one for each level; they get the first. Rich reads the size of the terminal without a
    check. Arrow, which writes the samples, prints a line for each setting of its own that it does not know.
    """
    for name in ("ARROW_DEFAULT_MEMORY_POOL", "ARROW_IO_THREADS", "ARROW_USER_SIMD_LEVEL"):
        environment.pop(name, None)
    environment["MPLBACKEND"] = "agg"
    for name in ("OMP_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS"):
        _keep(environment, name, _whole(environment.get(name, "").split(",")[0], 1024))
    for name in ("COLUMNS", "LINES"):
        _keep(environment, name, _whole(environment.get(name, ""), _LARGEST_TERMINAL))


def _keep(environment: MutableMapping[str, str], name: str, value: str | None) -> None:
    if value is None:
        environment.pop(name, None)
    else:
        environment[name] = value


def _whole(text: str, largest: int) -> str | None:
    """Return the text of a whole number from 1 to `largest`, or None if it is something else."""
    text = text.strip()
    return text if re.fullmatch(r"[0-9]{1,6}", text) and 1 <= int(text) <= largest else None
