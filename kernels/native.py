"""Machine code of a kernel, stored once it is compiled and loaded without Numba, whose import takes longer than a run.

Notes
-----
The file's name holds a digest of everything that the code depends on, so that stale code is never looked for. Code is
loaded only from a folder and a file that belong to the user and that nobody else can write to.
"""

import contextlib
import ctypes
import hashlib
import importlib.metadata
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from kernels.settings import compiler_settings

FOLDER = "perwatt"  # of a cache folder
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe is refused, not waited for
KEPT = 8  # files of one kernel: for other settings of the compiler, and for other states of a checkout
_FREE = """
define void @NRT_MemInfo_call_dtor(ptr %0) {
  call void @llvm.trap()
  unreachable
}
declare void @llvm.trap()
"""
# Numba frees an array by this function. A kernel owns no array: it gets pointers.


class NotNativeError(Exception):
    """The code of a function cannot be taken out of Numba: its internals have changed, or the code calls Numba."""


@dataclass(frozen=True, slots=True)
class Code:
    """The machine code of one function with Numba's calling convention."""

    symbol: str
    object_code: bytes
    step: int = 0  # of a scan: nonces that a step takes in


@dataclass(frozen=True, slots=True)
class Native:
    """A loaded function."""

    code: Code
    function: Any  # of ctypes: (pointer to the result, pointer to an error, arguments) -> status
    engine: Any  # owns the memory of the code
    from_cache: bool

    def __call__(self, *arguments: Any) -> int:
        """Call the function and return its result.

        Raises
        ------
        RuntimeError
            The function raised an exception.
        """
        result, error = ctypes.c_int64(), ctypes.c_void_p()
        if self.function(ctypes.byref(result), ctypes.byref(error), *arguments):
            raise RuntimeError(f"{self.code.symbol}: the compiled code failed")
        return result.value


def native(name: str, digest: str, arguments: Sequence[Any], compile_code: Callable[[], Code]) -> Native:
    """Return a function from the cache, or compile and store it; a folder that refuses the file stops no kernel.

    Parameters
    ----------
    name
        Name of the file, without its digest.
    digest
        Digest of the source that the code is made from.
    arguments
        Types of the arguments, of ctypes.
    compile_code
        Compiles the function.

    Raises
    ------
    NotNativeError
        The code of the function cannot be taken out of Numba.
    """
    code, from_cache = stored(name, digest, compile_code)
    return _load(code, arguments, from_cache=from_cache)


def stored(name: str, digest: str, compile_code: Callable[[], Code]) -> tuple[Code, bool]:
    """Return code and whether it comes from the cache, else compile and store it, as `native` describes."""
    file = f"{name}-{_key(digest)}.o"
    folder = cache_folder()
    code = _read(folder, file) if folder is not None else None
    if code is not None:
        return code, True
    code = compile_code()
    if folder is not None and _as_imported():
        with contextlib.suppress(OSError):
            _write(folder, file, name, code)
    return code, False


def _as_imported() -> bool:
    """Return whether the settings of the compiler, which are part of the file's name, are those that Numba has read."""
    from kernels.compiler import SETTINGS

    return compiler_settings() == SETTINGS


def emit(function: Callable[..., Any], signature: Any, step: int = 0, *, as_text: bool = False) -> Code:
    """Compile a function for this CPU and return its code, which refers to nothing outside but the C library.

    Parameters
    ----------
    function
        Function of numbers and pointers to numbers that returns an int64; it calls compiled functions.
    signature
        Numba's signature.
    step
        Nonces that a step takes in.
    as_text
        Whether to return assembly, for people and for counts, instead of machine code.

    Raises
    ------
    NotNativeError
        Numba's internals have changed, or the code refers to a function of Numba or Python.
    """
    from llvmlite import binding

    from kernels.compiler import njit

    binding.initialize_native_asmparser()
    try:
        dispatcher = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
        dispatcher.compile(signature)
        (overload,) = dispatcher.overloads.values()
        symbol, text = overload.fndesc.llvm_func_name, overload.library.get_llvm_str()
        machine = overload.library.codegen._tm  # noqa: SLF001 (the one that Numba compiles with)
    except (AttributeError, KeyError) as error:
        raise NotNativeError(f"{function.__name__}: {error}") from error
    module = binding.parse_assembly(text)
    if any(part.name == "NRT_MemInfo_call_dtor" for part in module.functions):
        module.link_in(binding.parse_assembly(_FREE))
    module.verify()
    outside = [part.name for part in module.functions if part.is_declaration and not part.name.startswith("llvm.")]
    if outside:
        raise NotNativeError(f"{function.__name__}: expected code of its own, got calls of {', '.join(outside)}")
    return Code(symbol, machine.emit_assembly(module).encode() if as_text else machine.emit_object(module), step)


def cache_folder() -> Path | None:
    """Return the folder of stored code: in NUMBA_CACHE_DIR, beside the sources, or the user's; None if none is safe."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    candidates = [Path(named)] if named else [Path(__file__).parent / "__pycache__", home]
    return next((folder / FOLDER for folder in candidates if _is_safe(folder / FOLDER)), None)


def _is_safe(folder: Path) -> bool:
    """Return whether a folder is the user's and nobody else can write to it; make it if it does not exist."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(folder) as descriptor:
            return _only_own(os.fstat(descriptor)) and os.access(folder, os.W_OK)
    except OSError:
        return False


def _only_own(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read(folder: Path, file: str) -> Code | None:
    """Return stored code; None for a file that is absent, damaged, or not safe."""
    try:
        with _opened(folder) as place:
            if not _only_own(os.fstat(place)):
                return None
            descriptor = os.open(file, _OPEN, dir_fd=place)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not (stat.S_ISREG(status.st_mode) and _only_own(status)):
                return None
            content = stream.read()
    except OSError:
        return None
    digest, rest = content[:32], content[32:]
    if hashlib.sha256(rest).digest() != digest:
        return None
    heading, _, object_code = rest.partition(b"\n")
    try:
        symbol, step = json.loads(heading)
    except (ValueError, TypeError):
        return None
    return Code(symbol, object_code, step)


def _write(folder: Path, file: str, name: str, code: Code) -> None:
    """Store code, whole or not at all, and remove the oldest files of the same kernel."""
    rest = json.dumps([code.symbol, code.step]).encode() + b"\n" + code.object_code
    part = folder / f".{file}.{token_hex(8)}"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(hashlib.sha256(rest).digest() + rest)
        part.replace(folder / file)
    finally:
        part.unlink(missing_ok=True)
    by_age = sorted(folder.glob(f"{name}-*.o"), key=lambda path: path.stat().st_mtime)
    for path in by_age[:-KEPT]:
        path.unlink(missing_ok=True)


def _load(code: Code, arguments: Sequence[Any], *, from_cache: bool) -> Native:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(codemodel="jitdefault", jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code.object_code))
    engine.finalize_object()
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *arguments)
    return Native(code, prototype(engine.get_function_address(code.symbol)), engine, from_cache)


def _key(digest: str) -> str:
    """Return a digest of the source, the compiler, its settings and this CPU."""
    return hashlib.sha256(json.dumps([digest, *_platform(), compiler_settings()]).encode()).hexdigest()[:32]


@cache
def _platform() -> list[str]:
    """Return what stays the same in a process: the compiler and this CPU."""
    from llvmlite import binding

    try:
        features = binding.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM cannot read them on this platform
        features = ""
    versions = [importlib.metadata.version(name) for name in ("numba", "llvmlite")]
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return [*versions, own, sys.version, os.uname().machine, binding.get_host_cpu_name(), features]
