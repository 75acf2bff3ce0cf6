"""Numba's compiler with a cache that also notices when the files that generate a kernel change."""

import contextlib
from collections.abc import Callable
from typing import Any

from kernels.compiler import njit
from kernels.generator import generator_digest


def kernel_njit(function: Callable[..., Any]) -> Any:
    """Compile with `nogil` and a cache that a change of the function's file or of the generator makes stale."""
    return stamped_njit(function, generator_digest())


def stamped_njit(function: Callable[..., Any], digest: str, **options: bool) -> Any:
    """Compile with `nogil` and a cache that a change of the function's file or of `digest` makes stale.

    Numba stamps a cache with the file of the function alone and has no public way to add to the stamp. If Numba's
    internals have changed, the function is compiled without a cache.

    Parameters
    ----------
    function
        Function to compile.
    digest
        Digest of everything else that the compiled code depends on.
    """
    dispatcher = cached_njit(**options)(function)
    try:
        cache_file = dispatcher._cache._cache_file  # noqa: SLF001
        cache_file._source_stamp = (cache_file._source_stamp, digest)  # noqa: SLF001
    except AttributeError:  # which a cache that stores nothing does not have either
        return njit(nogil=True, **options)(function)
    return dispatcher


def cached_njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles with `nogil` and a cache, or without one where no folder can hold it."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            dispatcher = njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # neither __pycache__ nor the user's cache folder nor NUMBA_CACHE_DIR can be written to
            return njit(nogil=True, **options)(function)
        cache = getattr(dispatcher, "_cache", None)
        if cache is not None:
            cache.load_overload = _loader(cache)
            cache.save_overload = _saver(cache)
        return dispatcher

    return decorate


def _loader(cache: Any) -> Callable[[Any, Any], Any]:
    """Return the method that loads compiled code, for which a damaged or unreadable file is the same as no file."""
    load = cache.load_overload

    def load_or_compile(signature: Any, target_context: Any) -> Any:
        try:
            return load(signature, target_context)
        except Exception:  # noqa: BLE001 (a damaged pickle raises anything)
            with contextlib.suppress(OSError):
                cache.flush()
            return None

    return load_or_compile


def _saver(cache: Any) -> Callable[[Any, Any], None]:
    """Return the method that stores compiled code, which a full disk does not stop."""
    save = cache.save_overload

    def save_if_possible(signature: Any, data: Any) -> None:
        with contextlib.suppress(OSError):
            save(signature, data)

    return save_if_possible
