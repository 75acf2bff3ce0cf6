"""Numba, imported here and nowhere else: its settings of the environment are checked first.

Numba warns of a setting that it cannot read, with a traceback, and LLVM aborts the process at some. Each is one line.
"""

import os
import re
import warnings

from kernels.settings import check_memory, check_settings, compiler_settings, refused

_UNREAD = re.compile(r"Environment variable '(\w+)' is defined but its associated value")

check_memory()
check_settings(os.environ)
SETTINGS = compiler_settings()  # that Numba reads now, once
with warnings.catch_warnings(record=True) as _raised:
    warnings.simplefilter("always")
    from numba import carray, njit, types, uint32, uint64
    from numba.cpython.unsafe.tuple import tuple_setitem
    from numba.extending import intrinsic, models, overload, register_jitable, register_model
for _warning in _raised:
    if _match := _UNREAD.match(str(_warning.message)):
        raise refused(_match[1], "a value that Numba reads", os.environ.get(_match[1], ""))

__all__ = [
    "SETTINGS", "carray", "intrinsic", "models", "njit", "overload", "register_jitable", "register_model",
    "tuple_setitem", "types", "uint32", "uint64",
]  # fmt: skip
