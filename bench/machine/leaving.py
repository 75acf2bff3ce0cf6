"""The functions that end a process at once: while code of others runs in it, they raise instead.

`os._exit(0)` in a meter package would end a run that failed with the status of success and without a word.
"""

import os
import posix
from collections.abc import Callable
from typing import NoReturn

_NAMES = ("_exit", "execv", "execve")  # all others of os end in one of these
_real: dict[str, Callable[..., NoReturn]] = {name: getattr(os, name) for name in _NAMES}


def forbid_leaving() -> None:
    """Let `os._exit` and the functions of `os.exec*` raise SystemExit in this process; in its forks they still work."""
    process = os.getpid()
    for name in _NAMES:
        for module in (os, posix):
            setattr(module, name, _refused(name, process))


def _refused(name: str, process: int) -> Callable[..., None]:
    real = _real[name]

    def leave(*arguments: object) -> None:
        if os.getpid() != process:
            real(*arguments)
        raise SystemExit(f"os.{name}")

    return leave
