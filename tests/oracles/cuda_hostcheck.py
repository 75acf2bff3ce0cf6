"""The CUDA C of the scan on a CPU: all variants as one C++ file behind a shim, called through ctypes."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError
from kernels.scan_cuda.codegen import ScanText, scan_text
from kernels.scan_cuda.rolled_text import RolledText, rolled_text

Words = npt.NDArray[np.uint32]
SHIM = Path(__file__).parent / "host_scan.hpp"


def compiler() -> str:
    """Return the path of a C++ compiler.

    Raises
    ------
    ToolMissingError
        No C++ compiler is on the PATH.
    """
    for name in ("c++", "g++", "clang++"):
        if path := shutil.which(name):
            return path
    raise ToolMissingError("no C++ compiler on the PATH (c++, g++, clang++); install one, on Debian: apt install g++")


BUILDS = "PERWATT_TEST_BUILDS"
"""The environment variable with a folder of libraries, which the processes of one run of the tests share."""


def build_library(text: str, *, optimised: str) -> ctypes.CDLL:
    """Compile C++, unless another process of this run of the tests did so, and load it.

    Raises
    ------
    ToolMissingError
        There is no compiler.
    KernelInputError
        The compiler refuses the text; its first error is in the message.
    """
    options = [compiler(), "-std=c++17", optimised, "-w", "-shared", "-fPIC"]
    source = Path(os.environ[BUILDS]) / f"{sha256(' '.join([*options, text]).encode()).hexdigest()}.cpp"
    library = source.with_suffix(".so")
    with FileLock(source.with_suffix(".lock")):
        if not library.exists():
            source.write_text(text, encoding="ascii")
            command = [*options, "-o", str(library), str(source)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                errors = [line for line in done.stderr.splitlines() if "error" in line]
                errors = errors or done.stderr.strip().splitlines()
                raise KernelInputError(f"{command[0]}: {errors[0] if errors else 'failed'}")
    return ctypes.CDLL(str(library))


class HostCheck:
    """The variants' text, compiled for this CPU."""

    def __init__(self, variants: Sequence[str]) -> None:
        self.texts = {variant: scan_text(variant) for variant in variants}
        text = SHIM.read_text(encoding="ascii") + "".join(_unit(text) for text in self.texts.values())
        self._library = build_library(text, optimised="-O1")

    def last_words(self, variant: str, jobs: Words, nonce_words: Words) -> Words:
        """Return the last word of the hash for each row of `jobs` (struct Job as words) with its word of the nonce."""
        jobs = np.ascontiguousarray(jobs, dtype=np.uint32)
        nonce_words = np.ascontiguousarray(nonce_words, dtype=np.uint32)
        out = np.empty(len(nonce_words), dtype=np.uint32)
        function = getattr(self._library, f"{variant}_last_words")
        function(_pointer(jobs), _pointer(nonce_words), _pointer(out), ctypes.c_size_t(len(out)))
        return out

    def scan(self, variant: str, job: Sequence[int], first: int, threads: int, capacity: int = 4096) -> list[int]:
        """Run the kernel thread by thread and return the candidate nonces of `threads` threads' nonces."""
        return _scan(getattr(self._library, f"{variant}_scan"), job, first, threads, np.empty(capacity, np.uint32))


class VersionsHostCheck:
    """The text of the variants that scan several versions, compiled for this CPU."""

    def __init__(self, variants: Sequence[str]) -> None:
        self.texts = {variant: rolled_text(variant) for variant in variants}
        text = SHIM.read_text(encoding="ascii") + "".join(_versions_unit(text) for text in self.texts.values())
        self._library = build_library(text, optimised="-O1")

    def last_words(self, variant: str, jobs: Words, nonce_words: Words, midstates: int) -> Words:
        """Return the last words of the hashes, a row for each row of `jobs` with its word of the nonce."""
        jobs = np.ascontiguousarray(jobs, dtype=np.uint32)
        nonce_words = np.ascontiguousarray(nonce_words, dtype=np.uint32)
        out = np.empty((len(jobs), midstates), dtype=np.uint32)
        function = getattr(self._library, f"{variant}_last_words")
        function(_pointer(jobs), _pointer(nonce_words), _pointer(out), ctypes.c_size_t(len(jobs)))
        return out

    def scan(self, variant: str, job: Sequence[int], first: int, threads: int, capacity: int = 4096) -> list[int]:
        """Run the kernel thread by thread and return its candidates, 2^32 times a midstate's index plus a nonce."""
        return _scan(getattr(self._library, f"{variant}_scan"), job, first, threads, np.empty(capacity, np.uint64))


def _scan(function: Any, job: Sequence[int], first: int, threads: int, out: npt.NDArray[Any]) -> list[int]:
    record, count = np.array(job, dtype=np.uint32), np.zeros(1, dtype=np.uint32)
    function(
        _pointer(record), ctypes.c_uint32(first), ctypes.c_uint32(threads), _pointer(count), _pointer(out),
        ctypes.c_uint32(len(out)),
    )  # fmt: skip
    return [int(candidate) for candidate in out[: min(int(count[0]), len(out))]]


def _pointer(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _unit(text: ScanText) -> str:
    """Return the text in a namespace of its own, with its kernel renamed and two functions that call it."""
    name = text.variant
    return _named(
        text.source,
        name,
        "sha256d_scan",
        f"""
extern "C" void {name}_last_words(const u32 *jobs, const u32 *nonce_words, u32 *out, size_t count)
{{
    for (size_t i = 0; i < count; ++i)
        out[i] = {name}::sha256d_last_word(((const {name}::Job *)jobs)[i], nonce_words[i]);
}}""",
    )


def _versions_unit(text: RolledText) -> str:
    name = text.variant
    return _named(
        text.source,
        name,
        "sha256d_scan_versions",
        f"""
extern "C" void {name}_last_words(const {name}::Job *jobs, const u32 *nonce_words, u32 *out, size_t count)
{{
    for (const {name}::Job *job = jobs; job < jobs + count; ++job) {{
        const u32 nonce_word = nonce_words[job - jobs];
        const {name}::Rows rows = {name}::sha256d_rows(*job, nonce_word);
        for (u32 i = 0; i < job->midstates; ++i)
            *out++ = {name}::sha256d_last_word(*job, job->own[i], rows, nonce_word);
    }}
}}""",
    )


def _named(source: str, name: str, kernel: str, function: str) -> str:
    """Return a text in a namespace of its own, with its kernel renamed, a function, and one that runs the kernel."""
    word = "unsigned long long" if "versions" in kernel else "u32"
    return f"""
#define {kernel} {name}_kernel
namespace {name} {{
{source}
}}{function}
extern "C" void {name}_scan(const {name}::Job *job, u32 first, u32 threads, u32 *found, {word} *out, u32 capacity)
{{
    blockDim.x = 256;
    for (u32 thread = 0; thread < (threads + blockDim.x - 1) / blockDim.x * blockDim.x; ++thread) {{
        blockIdx.x = thread / blockDim.x;
        threadIdx.x = thread % blockDim.x;
        {name}::{kernel}(*job, first, threads, found, out, capacity);
    }}
}}
#undef {kernel}
#undef ADD
#undef ADD_EARLY
#undef SHR
#undef ROTR
#undef ROTR_PRODUCT
#undef XOR3
#undef CH
#undef MAJ
"""
