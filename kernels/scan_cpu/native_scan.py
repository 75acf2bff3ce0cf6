"""The compiled scan of a variant, as stored machine code where there is any."""

import ctypes
import hashlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from kernels.errors import KernelInputError
from kernels.generator import generator_digest
from kernels.native import Code, NotNativeError, emit, native

_ARGUMENTS = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)  # jobs, out, numbers
_Numbers = ctypes.c_int64 * 4  # first nonce, steps, size of out; receives the steps done
JOB_WORDS = 12


class CompiledScan(Protocol):
    """The compiled scan of a variant with a number of midstates."""

    @property
    def STEP(self) -> int:  # noqa: N802 (as in the modules of the variants)
        """Nonces that a step takes in."""
        ...

    def scan_steps(
        self, jobs: npt.NDArray[np.uint32], first: int, steps: int, out: npt.NDArray[Any]
    ) -> tuple[int, int]:
        """Return the candidates written and the steps done, as the modules of the variants describe.

        Parameters
        ----------
        jobs
            uint32[midstates, 12], or uint32[12] for the plain scan.
        first
            First nonce, a multiple of STEP.
        steps
            Number of steps.
        out
            Receives the candidates: uint32 for the plain scan, else uint64.
        """
        ...


class NumbaScan:
    """The scan as Numba runs it, for a Numba whose machine code cannot be stored."""

    def __init__(self, module_name: str, midstates: int) -> None:
        self._module = import_module(module_name)
        self._midstates = midstates

    @property
    def STEP(self) -> int:  # noqa: N802 (as in the modules of the variants)
        """Nonces that a step takes in."""
        return int(self._module.STEP)

    def scan_steps(
        self, jobs: npt.NDArray[np.uint32], first: int, steps: int, out: npt.NDArray[Any]
    ) -> tuple[int, int]:
        """Return the candidates written and the steps done."""
        rows = tuple(jobs.reshape(self._midstates, JOB_WORDS))
        candidates, done = self._module.scan_steps(
            rows if self._midstates > 1 else rows[0], np.uint32(first), steps, out
        )
        return int(candidates), int(done)


class NativeScan:
    """The scan of a variant with a number of midstates, as machine code.

    Parameters
    ----------
    module_name
        Full name of the module of the variant.
    midstates
        1 for the plain scan, or 2, 4 or 8 that share a message schedule.
    """

    def __init__(self, module_name: str, midstates: int) -> None:
        self.module_name = module_name
        self.midstates = midstates
        package, _, variant = module_name.rpartition(".")
        name = f"{package.rpartition('.')[2]}-{variant}-{midstates}"
        self._native = native(name, scan_digest(module_name), _ARGUMENTS, lambda: _compile(module_name, midstates))
        self._out_type = np.dtype(np.uint32 if midstates == 1 else np.uint64)

    @property
    def STEP(self) -> int:  # noqa: N802 (as in the modules of the variants)
        """Nonces that a step takes in."""
        return self._native.code.step

    @property
    def from_cache(self) -> bool:
        """Whether the code was stored by an earlier process."""
        return self._native.from_cache

    def scan_steps(
        self, jobs: npt.NDArray[np.uint32], first: int, steps: int, out: npt.NDArray[Any]
    ) -> tuple[int, int]:
        """Return the candidates written and the steps done.

        Raises
        ------
        KernelInputError
            An array has another type or shape.
        """
        words = self.midstates * JOB_WORDS
        if jobs.dtype != np.uint32 or jobs.size != words or not jobs.flags.c_contiguous:
            raise KernelInputError(f"jobs: expected {words} contiguous uint32, got {jobs.size} {jobs.dtype}")
        if out.dtype != self._out_type or out.ndim != 1 or not out.flags.carray:
            raise KernelInputError(f"out: expected a contiguous array of {self._out_type}, got {out.dtype}")
        numbers = _Numbers(int(first), steps, out.size, 0)
        candidates = self._native(jobs.ctypes.data, out.ctypes.data, ctypes.addressof(numbers))
        return candidates, numbers[3]


@cache
def load_scan(module_name: str, midstates: int = 1) -> CompiledScan:
    """Return the scan of a variant's module, loaded once: stored machine code, else compiled now."""
    try:
        return NativeScan(module_name, midstates)
    except NotNativeError:
        return NumbaScan(module_name, midstates)


def scan_digest(module_name: str) -> str:
    """Return a digest of the generator, of a variant's module and of this file, without importing the module."""
    spec = find_spec(module_name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module_name)
    files = (Path(spec.origin), Path(__file__))
    return hashlib.sha256(generator_digest().encode() + b"".join(file.read_bytes() for file in files)).hexdigest()


def scan_assembly(module_name: str, midstates: int) -> Code:
    """Return the assembly of a scan's machine code, and the nonces that a step takes in.

    Raises
    ------
    NotNativeError
        The code cannot be taken out of Numba.
    """
    return _compile(module_name, midstates, as_text=True)


def _compile(module_name: str, midstates: int, *, as_text: bool = False) -> Code:
    from kernels.compiler import types

    module = import_module(module_name)
    candidate = types.uint32 if midstates == 1 else types.uint64
    pointers = [types.CPointer(each) for each in (types.uint32, candidate, types.int64)]
    return emit(_entry(module.scan_steps, midstates), types.int64(*pointers), module.STEP, as_text=as_text)


def _entry(scan_steps: Any, midstates: int) -> Callable[..., Any]:
    """Return a function of pointers that calls the scan with arrays; the length of a tuple stands in the source."""
    from kernels.compiler import carray, uint32

    def one(jobs: Any, out: Any, numbers: Any) -> Any:
        candidates, numbers[3] = scan_steps(
            carray(jobs, (JOB_WORDS,)), uint32(numbers[0]), numbers[1], carray(out, (numbers[2],))
        )
        return candidates

    def two(jobs: Any, out: Any, numbers: Any) -> Any:
        job = carray(jobs, (2, JOB_WORDS))
        candidates, numbers[3] = scan_steps(
            (job[0], job[1]), uint32(numbers[0]), numbers[1], carray(out, (numbers[2],))
        )
        return candidates

    def four(jobs: Any, out: Any, numbers: Any) -> Any:
        job = carray(jobs, (4, JOB_WORDS))
        candidates, numbers[3] = scan_steps(
            (job[0], job[1], job[2], job[3]), uint32(numbers[0]), numbers[1], carray(out, (numbers[2],))
        )
        return candidates

    def eight(jobs: Any, out: Any, numbers: Any) -> Any:
        job = carray(jobs, (8, JOB_WORDS))
        together = (job[0], job[1], job[2], job[3], job[4], job[5], job[6], job[7])
        candidates, numbers[3] = scan_steps(together, uint32(numbers[0]), numbers[1], carray(out, (numbers[2],)))
        return candidates

    return {1: one, 2: two, 4: four, 8: eight}[midstates]
